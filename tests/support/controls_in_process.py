"""Tries every control of verify/ on a record in this process, by the plumbing that a drill's own workers use."""

import contextlib
import io
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

import pytest

from fixtures.checks.access import Access
from fixtures.checks.drilled import Drilled
from fixtures.checks.sampled import Samples
from fixtures.custody.mask_key import passing_mask_key
from fixtures.custody.read_origin import read_origin
from fixtures.plan.cards import RELEASE, Rule, read_controls, read_rules, rule_node
from fixtures.plan.within_budget import within_budget
from fixtures.plugin.building_evidence import build_evidence
from fixtures.plugin.control_fixtures import ACCESS, HASH_KEY, SAMPLES
from fixtures.plugin.gathering import Gatherer, plan
from fixtures.plugin.outcomes import DRILLED
from fixtures.plugin.proving import MAY_PROVE
from fixtures.plugin.subject_fixtures import RULES
from fixtures.proof.rotation import Earlier, Sample, choose
from fixtures.record.evidence import Evidence
from fixtures.record.origin import Origin
from tests.support.drills import ROOT, SAMPLE

VERIFY = ROOT / "verify"
Proven = bool | Earlier | Sample
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
    sample: Sample | None = None
    samples: Samples = field(default_factory=dict)

    @pytest.hookimpl
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        early_config.workerinput = {}  # type: ignore[attr-defined]  # so that no run is opened and no stage run
        early_config.option.tbstyle = "native"  # any other style reads the source behind each blocked check
        early_config.stash[DRILLED], early_config.stash[RULES] = self.drilled, self.rules
        key = self.access.hash_key if self.access else passing_mask_key().of(self.drilled.source.name)
        early_config.stash[SAMPLES] = self.samples
        early_config.stash[ACCESS], early_config.stash[HASH_KEY] = self.access, key
        if self.sample is not None:
            early_config.stash[MAY_PROVE] = self.sample


def try_controls(
    drilled: Drilled,
    access: Access | None,
    not_shown: tuple[str, ...] = (),
    *,
    proving: Proven = False,
    of_release: bool = False,
    only: tuple[str, ...] = (),
) -> tuple[Evidence, bytes, str]:
    """The evidence of such a drill, its queries.jsonl, and whatever was printed meanwhile. `proving`: all checks, what the
    budget holds of them after what was proven earlier, or that sample of them. `of_release`: of the controls those alone
    that only a gate tries; `only`: those of these files of verify/, and no rule of the profile."""
    record, source = drilled.record, drilled.source
    controls, rules = read_controls(VERIFY, gate=of_release), read_rules(source.folder)
    tried = [VERIFY / RELEASE] if of_release else [VERIFY]
    if of_release:
        controls, rules = tuple(each for each in controls if each.node.startswith(f"verify/{RELEASE}/")), ()
    if only:
        tried = [VERIFY / name for name in only]
        nodes = tuple(f"verify/{name}::" for name in only)
        controls, rules = tuple(each for each in controls if each.node.startswith(nodes)), ()
    planned = plan(controls, rules, rule_node(VERIFY), drilled)
    gatherer = Gatherer(planned, source.profile.waiver, source.profile.tenancy.crossing)
    printed = io.StringIO()
    arguments = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-s", "--assert=plain", *map(str, tried)]
    arguments += ["--gate"] if of_release else []
    arguments += [word for name in WITHOUT for word in ("-p", f"no:{name}")]
    sample = proving if isinstance(proving, Sample) else Sample() if proving is True else None
    if isinstance(proving, Earlier):
        checks, proofs = [(each.control, each.subject) for each in planned], source.profile.proof
        began = record.started_at.timestamp()
        sample = choose(checks, proving, proofs.share, began, proofs.every_nights, record.run_id, time.time())
    budget, samples = None, {}
    if (minutes := source.profile.limits.checks) is not None and not of_release:
        budget, samples = within_budget(controls, rules, drilled, minutes)
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        ended = pytest.main(arguments, plugins=[HandedOver(drilled, rules, access, sample, samples), gatherer])
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
        extent="none" if sample is None else "all" if proving is True else "budget",
        proofs=source.profile.proof,
        proven_before=proving if isinstance(proving, Earlier) else Earlier(),
        budget=budget,
    )
    return evidence, gatherer.queries_behind(evidence.results), printed.getvalue()


@cache
def _origin() -> Origin:
    return read_origin(SAMPLE)
