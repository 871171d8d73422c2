"""A reference that is meant to leave its tenant is excused, counted, and watched for the rows that are not meant to."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.checks.planting import EXCUSES_ALL, Planting, Unplanted
from fixtures.checks.probe import Probe
from fixtures.checks.tenancy.owners import owned_otherwise
from fixtures.checks.tenancy.planters import a_row_of_another_tenant
from fixtures.checks.tenancy.references import excused, owned_by_somebody, strays
from fixtures.plan.waivers import needless_crossings
from fixtures.profile import Profile
from fixtures.profile.exceptions import Crossing
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

SPENT = "public.spent(cardNo)->public.cards"
REASON = "a gift card may be spent at another tenant that accepts it"
VIA = {"owner_via": {"spent": "tenant_id"}}
CROSSED = """
UPDATE spent SET tenant_id = 1, accepted = true WHERE "cardNo" = 2 AND turn = 1;
UPDATE spent SET tenant_id = 1, accepted = false WHERE "cardNo" = 3 AND turn = 1;
"""


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "crossings").mkdir()
    (tmp_path / "crossings" / "accepted.sql").write_text(
        'SELECT s."cardNo", s.turn FROM public.spent s WHERE s.accepted; -- the acceptance\n'.replace("; --", " --")
    )
    return tmp_path


def probe(look: Look) -> Probe:
    (reference,) = [key for key in look.database.facts.foreign_keys if key.id == SPENT]
    source = look.table("spent")
    return excused(strays(reference, source, look.ownership), look.tenancy.crossing_of(SPENT), source)


def crossing(**bound: object) -> dict[str, object]:
    return VIA | {"crossing": [{"reference": SPENT, "reason": REASON} | bound]}


def test_without_an_excuse_every_row_that_crosses_is_told(tenancy: SmallTenancy) -> None:
    with tenancy.look(CROSSED, **VIA) as look:
        assert look.said(probe(look)) == (
            "2 of 4 rows point at a row of public.cards that belongs to another tenant",
            ("cardNo=2 turn=1 tenant=1 other_tenant=2", "cardNo=3 turn=1 tenant=1 other_tenant=2"),
        )


def test_with_a_condition_only_the_rows_outside_it_are(tenancy: SmallTenancy, folder: Path) -> None:
    with tenancy.look(CROSSED, folder, **crossing(condition="crossings/accepted.sql")) as look:
        assert look.problems == ()
        assert look.said(probe(look)) == (
            "1 of 4 rows point at a row of public.cards that belongs to another tenant, and the profile "
            "does not declare them",
            ("cardNo=3 turn=1 tenant=1 other_tenant=2",),
        )
        assert look.database.examination.note == f"1 of 4 rows reference another tenant, as the profile says: {REASON}"


def test_with_a_condition_there_may_be_none_on_a_quiet_day(tenancy: SmallTenancy, folder: Path) -> None:
    with tenancy.look("", folder, **crossing(condition="crossings/accepted.sql")) as look:
        assert look.said(probe(look)) == (f"0 of 4 rows reference another tenant, as the profile says: {REASON}", ())


def test_without_a_condition_so_many_are_accepted_and_no_more(tenancy: SmallTenancy) -> None:
    for planted, rows in ((CROSSED, 2), ("", 0)):
        with tenancy.look(planted, **crossing(at_most=2)) as look:
            assert look.said(probe(look)) == (
                f"{rows} of 4 rows reference another tenant, as the profile says: {REASON} (at most 2)",
                (),
            )
            (excepted,) = look.database.examination.excepted
            assert (excepted.what, excepted.count, excepted.at_most) == ("crossing", rows, 2)
    with tenancy.look(CROSSED, **crossing(at_most=1)) as look:
        assert look.said(probe(look)) == (
            "2 of 4 rows reference another tenant, as the profile says, which accepts at most 1",
            ("cardNo=2 turn=1 tenant=1 other_tenant=2", "cardNo=3 turn=1 tenant=1 other_tenant=2"),
        )


def test_one_more_than_is_accepted_is_planted_among_the_rows_that_do_not_cross_yet(tenancy: SmallTenancy) -> None:
    with tenancy.look(CROSSED, **crossing(at_most=2)) as look:
        for seed in range(8):
            with planting(tenancy, look, seed) as begun:
                a_row_of_another_tenant(begun)
                database = replace(look.database, session=begun.database.session)
                assert replace(look, database=database).said(probe(look))[0] == (
                    "3 of 4 rows reference another tenant, as the profile says, which accepts at most 2"
                )
    with (
        tenancy.look("UPDATE spent SET tenant_id = 3 - tenant_id", **crossing(at_most=4)) as look,
        planting(tenancy, look, 0) as begun,
        pytest.raises(Unplanted, match=f"{EXCUSES_ALL}: {REASON}"),
    ):
        a_row_of_another_tenant(begun)


@contextmanager
def planting(tenancy: SmallTenancy, look: Look, seed: int) -> Iterator[Planting]:
    """What is planted in it is taken back at its end."""
    (reference,) = [key for key in look.database.facts.foreign_keys if key.id == SPENT]
    profile = Profile.model_construct(tenancy=look.tenancy)
    with (
        tenancy.server.connect(look.database.name) as session,
        session.transaction(force_rollback=True),
    ):
        database = replace(look.database, session=session)
        yield Planting(database, look.ownership, profile, reference, random.Random(seed))


def test_an_excuse_without_a_bound_is_refused() -> None:
    with pytest.raises(ValidationError, match="any reference that crosses later would be accepted too: add at_most"):
        Crossing.model_validate({"reference": SPENT, "reason": REASON})


def test_a_reference_that_is_meant_to_cross_gives_a_row_without_an_owner_none(
    tenancy: SmallTenancy, folder: Path
) -> None:
    orphaned = """
    ALTER TABLE spent ALTER tenant_id DROP NOT NULL;
    UPDATE spent SET tenant_id = NULL, accepted = ("cardNo" = 2) WHERE "cardNo" IN (2, 3) AND turn = 1;
    """
    ownerless = {"ownerless": {"spent": {"at_most": 2, "reason": "guests spend cards as well"}}}
    for said, rows in (
        (VIA, ("cardNo=2 turn=1 other_tenants=1", "cardNo=3 turn=1 other_tenants=1")),
        (crossing(condition="crossings/accepted.sql"), ("cardNo=3 turn=1 other_tenants=1",)),
    ):
        with tenancy.look(orphaned, folder, **said, **ownerless) as look:
            (key,) = [key for key in look.database.facts.foreign_keys if key.id == SPENT]
            probe = owned_otherwise(look.table("spent"), (key,), look.ownership, look.tenancy)
            assert look.said(probe)[1] == rows


def test_a_person_in_several_tenants_may_name_the_present_one_if_the_profile_says_why(tenancy: SmallTenancy) -> None:
    reference = "public.people(now_in)->public.tenants"
    shared = {"shared": {"people": "a person may belong to several tenants"}}
    for said, expected in (
        (
            {},
            (
                "1 of 1 rows of a shared table point at a row of public.tenants that a tenant owns",
                ("id=1 other_tenant=1",),
            ),
        ),
        (
            {"crossing": [{"reference": reference, "reason": "where the person was last", "at_most": 1}]},
            ("1 of 1 rows reference another tenant, as the profile says: where the person was last (at most 1)", ()),
        ),
    ):
        with tenancy.look("", **shared, **said) as look:
            (key,) = [key for key in look.database.facts.foreign_keys if key.id == reference]
            source = look.table("people")
            probe = owned_by_somebody(key, source, look.ownership)
            crossed = look.tenancy.crossing_of(reference)
            assert look.said(excused(probe, crossed, source)) == expected


def test_a_condition_that_the_database_cannot_answer_is_a_fault_of_the_profile(
    tenancy: SmallTenancy, folder: Path
) -> None:
    for query, problem in (
        ("SELECT turn FROM public.spent", "column m.cardNo does not exist"),
        ('SELECT "cardNo", turn FROM spent', 'relation "spent" does not exist'),
        ("SELECT", "column m.cardNo does not exist"),
    ):
        (folder / "crossings" / "accepted.sql").write_text(query)
        with tenancy.look("", folder, **crossing(condition="crossings/accepted.sql")) as look:
            assert look.problems == (
                f"profile.toml: tenancy.crossing: crossings/accepted.sql: {problem}; it returns cardNo, turn, and names "
                "every table with its schema",
            )


def test_an_excuse_for_what_is_no_reference_is_needless() -> None:
    planned = [("TEN-02", SPENT), ("TEN-03", "public.spent")]
    excuse = Crossing(reference="public.spent(cardno)->public.cards", reason=REASON, at_most=1)
    assert needless_crossings([Crossing(reference=SPENT, reason=REASON, at_most=1)], planned, frozenset()) == ()
    (finding,) = needless_crossings([excuse], planned, frozenset())
    assert (finding.control, finding.subject, finding.outcome) == ("TEN-02", excuse.reference, "failed")
    assert finding.message == (
        f"nothing needs this [[tenancy.crossing]]: TEN-02, TEN-04, TEN-08, TEN-09 have no such subject, the nearest is "
        f"{SPENT}; remove it, or name the reference as the report writes it"
    )
    assert needless_crossings([excuse], planned, frozenset({"TEN-09"})) == (), "nobody could look what there is"
