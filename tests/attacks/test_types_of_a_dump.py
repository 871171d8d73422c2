"""A type of the dump's own, with casts and operators of the dump's, tells no control what to see."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from fixtures.checks.tenancy.soft_references import soft_strays
from fixtures.record.read_as import as_json, as_text, read_as
from tests.support.further import first_of
from tests.support.small_tenancy import SmallTenancy, small_tenancy

VIA = {"spent": "tenant_id"}
# What its casts say is a card of the row's own tenant, or no number at all; what is stored is another tenant's.
LIES = """
    CREATE FUNCTION public.says(public.lying) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN
        IF session_user::text LIKE '%reader%' THEN RETURN '1'; END IF; RETURN '1'; END$f$;
    CREATE FUNCTION public.counts(public.lying) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 0::numeric';
    CREATE FUNCTION public.writes(public.lying) RETURNS json LANGUAGE sql IMMUTABLE AS $f$SELECT '1'::json$f$;
    CREATE FUNCTION public.alike(public.lying, public.lying) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE FUNCTION public.unlike(public.lying, public.lying) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
    CREATE CAST (public.lying AS text) WITH FUNCTION public.says(public.lying){context};
    CREATE CAST (public.lying AS numeric) WITH FUNCTION public.counts(public.lying);
    CREATE CAST (public.lying AS json) WITH FUNCTION public.writes(public.lying);
    CREATE OPERATOR public.= (LEFTARG = public.lying, RIGHTARG = public.lying, FUNCTION = public.alike);
    CREATE OPERATOR public.<> (LEFTARG = public.lying, RIGHTARG = public.lying, FUNCTION = public.unlike);
"""
TYPES = {
    "an enum": ("CREATE TYPE public.lying AS ENUM ('1', '2', '3')", "2"),
    "a composite": ("CREATE TYPE public.lying AS (id int)", "(2)"),
    "a range": ("CREATE TYPE public.lying AS RANGE (subtype = int)", "[2,3)"),
    "a domain": ("CREATE DOMAIN public.lying AS text", "2"),
}
CONTEXTS = ("", " AS ASSIGNMENT", " AS IMPLICIT")


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("context", CONTEXTS, ids=("explicit", "assignment", "implicit"))
def test_a_value_is_read_as_it_is_stored(kind: str, context: str, tenancy: SmallTenancy) -> None:
    made, stored = TYPES[kind]
    planted = f"{made}; {LIES.format(context=context)} ALTER TABLE cards ADD ref public.lying;"
    with tenancy.look(f"{planted} UPDATE cards SET ref = '{stored}' WHERE id = 1") as look:
        ref = sql.Identifier("ref")
        query = sql.SQL("SELECT {} AS text, {} AS json FROM public.cards ORDER BY id LIMIT 2").format(
            as_text(ref), as_json(ref)
        )
        (row, empty) = look.database.unrecorded(query)
        assert row == {"text": stored, "json": stored}
        assert empty == {"text": None, "json": None}
        if kind in ("an enum", "a domain"):
            number = sql.SQL("SELECT {} AS number FROM public.cards WHERE id = 1").format(read_as(ref, "numeric"))
            assert [int(each["number"]) for each in look.database.unrecorded(number)] == [2]


@pytest.mark.parametrize("context", first_of(CONTEXTS))
def test_a_cast_hides_no_row_that_means_another_tenants(context: str, tenancy: SmallTenancy) -> None:
    planted = f"""
        {TYPES["an enum"][0]}; {LIES.format(context=context)}
        ALTER TABLE spent ADD ref public.lying; UPDATE spent SET ref = '2' WHERE "cardNo" = 1
    """
    reference = {"owner_via": VIA, "soft_reference": [{"table": "spent", "column": "ref", "target": "cards"}]}
    with tenancy.look(planted, **reference) as look:
        (declared,) = look.tenancy.soft_reference
        said = look.said(soft_strays(declared, look.database.facts, look.ownership))
    assert said == (
        "1 of 1 ids refer to another tenant's row of public.cards, or none that is there",
        ("cardNo=1 turn=1 tenant=1 other_tenant=2",),
    )


@pytest.mark.parametrize(
    "value", ["true", "'ab'::char(5)", "'10.0.0.1'::inet", "1.50::numeric", "'x'::name", "NULL::int", "'{1,2}'::int[]"]
)
def test_a_value_of_the_servers_own_type_is_read_as_it_ever_was(value: str, tenancy: SmallTenancy) -> None:
    with tenancy.look() as look:
        query = sql.SQL("SELECT {} AS one, v::text AS other FROM (SELECT {} AS v) AS given")
        (row,) = look.database.unrecorded(query.format(as_text(sql.Identifier("v")), sql.SQL(value)))
    assert row["one"] == row["other"]


def test_no_order_of_the_dumps_own_is_made_but_by_a_superuser(tenancy: SmallTenancy) -> None:
    """DISTINCT, GROUP BY, ORDER BY and partitions compare by a type's default operator class."""
    with tenancy.look() as look, tenancy.server.connect(look.database.name) as connection:
        connection.execute("CREATE ROLE restore_drill_plain; SET ROLE restore_drill_plain")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be superuser to create an operator class"):
            connection.execute(
                "CREATE OPERATOR CLASS pg_temp.own DEFAULT FOR TYPE box USING btree AS FUNCTION 1 btint4cmp(int, int)"
            )
