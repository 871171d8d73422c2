"""What a release's migrations hide of a fault, or make of one, is told beside the restored database."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from psycopg import sql

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.probe import Probe
from fixtures.checks.tenancy.references import excused, strays
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

SPENT = "public.spent(cardNo)->public.cards"
VIA = {"owner_via": {"spent": "tenant_id"}}
ONE = 'UPDATE spent SET tenant_id = 1 WHERE "cardNo" = 2 AND turn = 1'
TWO = 'UPDATE spent SET tenant_id = 1 WHERE "cardNo" = 2'
OF_ONE = "1 of 4 rows point at a row of public.cards that belongs to another tenant"
OF_TWO = "2 of 4 rows point at a row of public.cards that belongs to another tenant"
FIRST, SECOND = "cardNo=2 turn=1 tenant=1 other_tenant=2", "cardNo=2 turn=2 tenant=1 other_tenant=2"


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def probe(look: Look) -> Probe:
    (reference,) = [key for key in look.database.facts.foreign_keys if key.id == SPENT]
    return excused(
        strays(reference, look.table("spent"), look.ownership), look.tenancy.crossing_of(SPENT), look.table("spent")
    )


def migrated(now: Look, before: Look) -> Look:
    """The look at a database that migrations have made of another one."""
    restored = replace(before.database, examination=Examination())
    return replace(now, database=replace(now.database, before=lambda: restored))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", ("", ())),
        (ONE, ONE, (OF_ONE, (FIRST,))),
        (
            ONE,
            "",
            (
                "the backup holds the fault; this release's migrations hide it: in the restored database, before them, "
                f"{OF_ONE}",
                (FIRST,),
            ),
        ),
        ("", ONE, (f"{OF_ONE}; the restored database has none of it: this release's migrations make it", (FIRST,))),
        (TWO, ONE, (f"{OF_ONE}; 2 in the restored database: this release's migrations hide the rest", (FIRST,))),
        (ONE, TWO, (f"{OF_TWO}; 1 in the restored database: this release's migrations make the rest", (FIRST, SECOND))),
    ],
)
def test_a_fault_is_told_beside_what_was_before_the_migrations(
    tenancy: SmallTenancy, before: str, after: str, told: tuple[str, tuple[str, ...]]
) -> None:
    with tenancy.look(before, **VIA) as was, tenancy.look(after, **VIA) as now:
        assert migrated(now, was).said(probe(now)) == told


def test_what_was_beyond_a_bound_before_the_migrations_is_told(tenancy: SmallTenancy) -> None:
    crossing = {"crossing": [{"reference": SPENT, "reason": "a gift card may be spent elsewhere", "at_most": 1}]}
    with tenancy.look(TWO, **VIA, **crossing) as was, tenancy.look(ONE, **VIA, **crossing) as now:
        message, samples = migrated(now, was).said(probe(now))
        assert message.endswith("2 of 4 rows reference another tenant, as the profile says, which accepts at most 1")
        assert message.startswith("the backup holds the fault; this release's migrations hide it")
        assert samples == (FIRST, SECOND)


def test_what_does_not_fit_the_schema_before_is_said_to_be_not_asked(tenancy: SmallTenancy) -> None:
    without = "ALTER TABLE spent DROP tenant_id"
    with tenancy.look(without) as was, tenancy.look("", **VIA) as now:
        assert migrated(now, was).said(probe(now)) == (
            "the restored database was not queried: its columns or types are others",
            (),
        )


def test_a_migration_that_writes_other_values_is_no_fault_and_is_noted(tenancy: SmallTenancy) -> None:
    """A status that has another name now was none that this release's profile lists."""
    listed = Probe(
        broken=sql.SQL('SELECT r.id FROM public."Words" r WHERE r.id <> 8'),
        examined=sql.SQL('SELECT count(*) FROM public."Words"'),
        says="hold a value that is not in its declared list",
        by_values=True,
    )
    with tenancy.look() as was, tenancy.look('UPDATE "Words" SET id = 8') as now:
        note, samples = migrated(now, was).said(listed)
        assert (note.partition(", 1 of 1 rows")[0], samples) == (
            "in the restored database, before this release's migrations",
            (),
        )
        assert "no fault where they give the values that the profile names" in note


def test_the_restored_database_is_asked_once_by_the_same_queries(tenancy: SmallTenancy) -> None:
    """A proof asks again what its check asked, in a session that sees the fault of the migrated database alone."""
    with tenancy.look(ONE) as before, tenancy.look() as after:
        asked = []

        def restored() -> Database:
            asked.append(before)
            return replace(before.database, examination=Examination())

        look = replace(after, database=replace(after.database, before=restored))
        hidden = look.said(probe(look))
        again = replace(look, database=replace(look.database, examination=Examination()))
        assert again.said(probe(look)) == hidden
        assert len(asked) == 1
        assert again.database.examination.in_backup is True
        again.said(replace(probe(look), broken=sql.SQL("SELECT 1 AS other WHERE false")))
        assert len(asked) == 2
