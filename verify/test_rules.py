"""The profile's own rules: each `rules/*.sql` is a control with an id of its own."""

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.plan.cards import Rule
from fixtures.plan.rules import as_probe, database_of, unanswered
from fixtures.plugin.declare import each_rule


@each_rule
def test_the_rule_holds(request: pytest.FixtureRequest, rule: Rule) -> None:
    database: Database = request.getfixturevalue(database_of(rule))
    if problem := unanswered(rule, database):
        raise Blocked(problem)
    database.expect_none(as_probe(rule))
