"""What is asked of money in one pass over a relation is what each control finds alone."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.checks.billing.passes import KeptPasses, MoneyPasses
from fixtures.checks.databases import Database
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.one_pass import Answers
from fixtures.checks.probe import Probe
from fixtures.checks.sharing import sharing
from fixtures.profile.reading import ReadProfile
from tests.checks.billing.probes import SOUND, account, covered, lists, processed, refunds, running, signs, totals
from tests.checks.billing.test_compiled import WRONG
from tests.support.passes import answered, apart
from tests.support.record_examples import record
from tests.support.small_shop import Shop

PATH = "profile.toml"


def together(shop: Shop) -> dict[str, Probe]:
    """All that controls ask of the shop's money, each with its share."""
    return sharing({f"{number} {each.__name__}": each(shop) for number, each in enumerate(SOUND)})


def of_session(shop: Shop) -> Database:
    return replace(shop.database(), answers=Answers(shop.session))


def queries_of(database: Database, probe: Probe) -> tuple[str, ...]:
    examination = Examination()
    with suppress(Finding):
        replace(database, examination=examination).expect_none(probe)
    return tuple(examination.queries)


@pytest.mark.parametrize("what", WRONG)
def test_a_pass_finds_what_each_control_of_money_finds_alone(shop: Shop, what: str) -> None:
    _, fault, *_ = WRONG[what]
    shop.done(fault)
    probes = together(shop)
    found = answered(of_session(shop), probes)
    assert found == answered(shop.database(), apart(probes))
    assert any(said for said, *_ in found.values())


def test_every_control_of_a_relation_names_its_one_pass(shop: Shop) -> None:
    # What was deleted softly has no currency of the list: the rule that knows no soft deletion would ask for its row.
    shop.done("""UPDATE "Bills" SET currency = 'EUR' WHERE id = 6""")
    database, probes = of_session(shop), together(shop)
    asked = {name: queries_of(database, probe) for name, probe in probes.items()}
    assert {len(each) for each in asked.values()} == {1}
    by_pass: dict[str, set[str]] = {}
    for name, (query,) in asked.items():
        by_pass.setdefault(query, set()).add(name.partition(" ")[2])
    assert sorted(map(sorted, by_pass.values())) == [
        ["account"],
        ["covered", "credited", "excess", "refunds", "settles", "totals", "unpaid"],
        ["holes", "overlaps", "runs"],
        ["later", "probe"],
        ["lists", "nought", "numbers", "order", "tax"],
        ["number"],
        ["probe"],
        ["probe", "processed"],
        ["running", "signs"],
        ["used"],
    ]


@pytest.mark.parametrize("probe", [running, account])
def test_a_row_that_a_join_repeats_is_counted_by_the_control_itself(shop: Shop, probe: Callable[[Shop], Probe]) -> None:
    shop.done("""INSERT INTO "Openings" VALUES ('acme', 99)""")
    probes = sharing({"": probe(shop), "signs": signs(shop)})
    assert len(queries_of(of_session(shop), probes[""])) == 2
    assert answered(of_session(shop), probes) == answered(shop.database(), apart(probes))


def test_a_session_that_sees_what_was_planted_asks_for_itself_and_finds_it(shop: Shop) -> None:
    """A control's own part of a pass over rows, and its two queries where relations would be read for the others."""
    shop.done("""UPDATE "Bills" SET gross = gross + 1 WHERE id = 1""")
    checking, probes = of_session(shop), together(shop)
    planting = replace(checking, answers=Answers(None))  # type: ignore[arg-type]  # none is kept for this session
    assert answered(planting, probes) == answered(checking, probes)
    named = {name.partition(" ")[2]: queries_of(planting, probe) for name, probe in probes.items()}
    assert len(named["totals"]) == 2
    assert all('"broken 1"' not in query for query in named["lists"])


def of_the_shop(shop: Shop, *problems: str) -> Drilled:
    source = ReadProfile("shop", Path(PATH), Path(), "", shop.profile)
    looked = {"facts": shop.facts, "migrated_facts": shop.facts, "profile_problems": problems, "profile_path": PATH}
    return Drilled.of_record(record(**looked), source)


ASKED = (running, account, signs, totals, covered, refunds, processed, lists)


def test_the_controls_of_a_drill_have_their_shares(shop: Shop) -> None:
    passes = MoneyPasses(of_the_shop(shop))
    for each in ASKED:
        shared, alone = passes.share(each(shop)), each(shop)
        assert shared.share is not None
        assert replace(shared, share=None, part=None) == replace(alone, part=None)


def test_an_entry_that_does_not_fit_keeps_no_other_from_its_share(shop: Shop) -> None:
    passes = MoneyPasses(of_the_shop(shop, f"{PATH}: ledger 'points'.amount: no column amount"))
    has_one = {each.__name__: passes.share(each(shop)).share is not None for each in ASKED}
    assert has_one == {each.__name__: each not in (running, account, signs) for each in ASKED}


def test_another_record_has_passes_of_its_own(shop: Shop) -> None:
    drilled, spoiled, kept = of_the_shop(shop), of_the_shop(shop), KeptPasses()
    assert kept.of(drilled) is kept.of(drilled)
    assert kept.of(spoiled).drilled is spoiled
    assert kept.of(drilled).drilled is drilled
