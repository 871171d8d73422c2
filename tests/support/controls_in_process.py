"""Tries every control of verify/ on a record in this process, by the plumbing that a drill's own workers use."""

import contextlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest

from fixtures.checks.databases import Access
from fixtures.checks.drilled import Drilled
from fixtures.custody.mask_key import passing_mask_key
from fixtures.custody.read_origin import read_origin
from fixtures.plan.cards import Rule, read_controls, read_rules, rule_node
from fixtures.plugin.control_fixtures import ACCESS
from fixtures.plugin.gathering import Gatherer, build_evidence, plan
from fixtures.plugin.outcomes import DRILLED
from fixtures.plugin.subject_fixtures import RULES
from fixtures.record.evidence import Evidence
from fixtures.record.origin import Origin
from tests.support.drills import ROOT, SAMPLE

VERIFY = ROOT / "verify"
# What tries nothing: the outer pytest's own, which would speak of the inner one's tests as its own.
WITHOUT = (
    # Collects garbage ten times over what all tests of this process have made.
    "unraisableexception",
    "threadexception",
    "allure_pytest",
    "xdist",
    "looponfail",
    "hypothesispytest",
    "platformdirs",
    "terminal",
    "cacheprovider",
    "logging",
)


@dataclass(eq=False)
class HandedOver:
    """Gives the inner pytest what a controller hands to its worker, before any plugin of the drill looks for it."""

    drilled: Drilled
    rules: tuple[Rule, ...]
    access: Access | None

    @pytest.hookimpl
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        early_config.workerinput = {}  # type: ignore[attr-defined]  # so that no run is opened and no stage run
        early_config.option.tbstyle = "native"  # any other style reads the source behind each blocked check
        early_config.stash[DRILLED], early_config.stash[RULES] = self.drilled, self.rules
        early_config.stash[ACCESS] = self.access


def try_controls(
    drilled: Drilled, access: Access | None, not_shown: tuple[str, ...] = (), *, proving: bool = False
) -> tuple[Evidence, bytes, str]:
    """The evidence of such a drill, its queries.jsonl, and whatever was printed meanwhile."""
    record, source = drilled.record, drilled.source
    controls, rules = read_controls(VERIFY, gate=False), read_rules(source.folder)
    planned = plan(controls, rules, rule_node(VERIFY), drilled)
    gatherer = Gatherer(planned, source.profile.waiver, source.profile.tenancy.crossing)
    printed = io.StringIO()
    arguments = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-s", "--assert=plain", str(VERIFY)]
    arguments += ["--prove", "all"] if proving else []
    arguments += [word for name in WITHOUT for word in ("-p", f"no:{name}")]
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        ended = pytest.main(arguments, plugins=[HandedOver(drilled, rules, access), gatherer])
    assert ended in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), (ended, printed.getvalue())
    cards = [*(each.card for each in controls), *(rule.card for rule in rules)]
    evidence = build_evidence(
        record=record,
        targets=source.profile.targets,
        cards=tuple(sorted(cards, key=lambda card: card.id)),
        gathered=gatherer,
        teardown=(),
        finished_at=datetime.now(UTC),
        not_shown=not_shown,
        signed_by="",
        origin=_origin(),
        masking=passing_mask_key().masking,
        proving=proving,
    )
    return evidence, gatherer.queries_behind(evidence.results), printed.getvalue()


@cache
def _origin() -> Origin:
    return read_origin(SAMPLE)
