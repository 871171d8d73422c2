"""The profile's own rules: each `rules/*.sql` is a control with an id of its own."""

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.plan.cards import Rule
from fixtures.plan.rule_planter import a_value_that_breaks_the_rule
from fixtures.plan.rules import as_probe, unanswered
from fixtures.plugin.declare import each_rule, proven_by


@each_rule
@proven_by(a_value_that_breaks_the_rule)
def test_the_rule_holds(rule: Rule, ruled: Database) -> None:
    if problem := unanswered(rule, ruled):
        raise Blocked(problem)
    ruled.expect_none(as_probe(rule))
