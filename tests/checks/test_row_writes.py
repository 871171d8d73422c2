"""What a role may write past a policy is found out, command by command, and leaves no trace."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from psycopg import sql

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Finding
from fixtures.checks.tenancy.rls_bypass import left_open
from fixtures.checks.tenancy.row_writes import refused_to_role
from fixtures.record.names import TableName
from tests.support.guarded_source import ROLE, SECURITY, TENANT, Guarded, Look, guarded_source

ORDERS, LINES, TENANTS = TableName("Odd", "Orders"), TableName("public", "lines"), TableName("public", "tenants")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with guarded_source() as ready:
        yield ready


def tried(look: Look, name: TableName) -> tuple[int | None, list[str]]:
    """How many writes were made, and what was found, without the tenants' names."""
    table = look.database.facts.table(name)
    assert table is not None
    try:
        refused_to_role(look.database, table, look.ownership, SECURITY)
    except Finding as finding:
        return look.database.examination.examined, sorted({_without_key(sample) for sample in finding.samples})
    return look.database.examination.examined, []


def _without_key(sample: str) -> str:
    return " ".join("#" if "=" in word else word for word in sample.split())


@pytest.mark.parametrize("name", [ORDERS, LINES, TENANTS])
def test_nothing_is_found_where_policies_hold_for_every_command(guarded: Guarded, name: TableName) -> None:
    with guarded.spoiled() as look:
        assert tried(look, name) == (14, [])


@pytest.mark.parametrize(
    ("name", "planted", "accepted"),
    [
        (
            ORDERS,
            'CREATE POLICY more ON "Odd"."Orders" FOR INSERT WITH CHECK (true)',
            ["# inserts a row for #"],
        ),
        (
            ORDERS,
            f'ALTER POLICY one_tenant ON "Odd"."Orders" USING ("tenantCode" = {TENANT}) WITH CHECK (true)',
            ["# hands its rows to #", "# inserts a row for #"],
        ),
        (
            ORDERS,
            'CREATE POLICY more ON "Odd"."Orders" FOR UPDATE USING (no = 5) WITH CHECK (false)',
            ["# takes over 1 rows of others"],
        ),
        (
            ORDERS,
            'CREATE POLICY more ON "Odd"."Orders" FOR DELETE USING (no = 5)',
            ["# deletes 1 rows of others", "no tenant set: deletes 1 rows of others"],
        ),
        (LINES, "CREATE POLICY more ON lines FOR INSERT WITH CHECK (true)", ["# inserts a row for #"]),
        (TENANTS, "CREATE POLICY more ON tenants FOR INSERT WITH CHECK (true)", ["# inserts a row for #"]),
    ],
)
def test_a_write_that_a_policy_lets_through_is_told(
    guarded: Guarded, name: TableName, planted: str, accepted: list[str]
) -> None:
    with guarded.spoiled(planted) as look:
        assert tried(look, name) == (14, accepted)


# Deletes a row of each tenant whenever one is deleted, whoever deletes it.
OTHERS_TOO = """
CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET row_security = on AS
    $$ BEGIN DELETE FROM "Odd"."Orders" WHERE no = {}; RETURN NULL; END $$;
CREATE TRIGGER more AFTER DELETE ON "Odd"."Orders" FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION more();
ALTER TABLE "Odd"."Orders" ENABLE ALWAYS TRIGGER more;
"""


def test_rows_that_a_statement_did_not_count_itself_are_told(guarded: Guarded) -> None:
    with guarded.spoiled(OTHERS_TOO.format(5)) as look:
        assert tried(look, ORDERS) == (14, ["# deletes 1 rows of others"])


# Deletes of each tenant's rows all but one, which it locks, and one row of another tenant in its stead.
LOCKS_ONE = f"""
CREATE FUNCTION locks_one(owner uuid) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET row_security = off AS
    $$ BEGIN PERFORM FROM "Odd"."Orders" o WHERE o."tenantCode" = {TENANT}
           AND o.no = (SELECT min(no) FROM "Odd"."Orders" WHERE "tenantCode" = {TENANT}) FOR UPDATE;
       RETURN true; END $$;
ALTER POLICY one_tenant ON "Odd"."Orders" USING ("tenantCode" = {TENANT}) WITH CHECK ("tenantCode" = {TENANT});
CREATE POLICY kept ON "Odd"."Orders" AS RESTRICTIVE FOR DELETE USING (locks_one("tenantCode") AND no NOT IN (1, 5, 9));
CREATE POLICY more ON "Odd"."Orders" FOR DELETE USING (no = 6);
"""


def test_rows_that_were_locked_stand_for_none_of_others(guarded: Guarded) -> None:
    """They bear the transaction as those do that it wrote: as many own rows bear it as the server counts written."""
    with guarded.spoiled(LOCKS_ONE) as look:
        assert tried(look, ORDERS) == (14, ["# deletes 1 rows of others", "no tenant set: deletes 1 rows of others"])


def test_all_rows_are_looked_at_only_where_others_may_be_among_those_written(guarded: Guarded) -> None:
    """A tenant's own rows are found by its key: a table of many tenants would be read once for each of them."""
    every = 'CREATE POLICY more ON "Odd"."Orders" FOR UPDATE USING (no = 5) WITH CHECK (false)'
    for planted, reads_all in (("", False), (every, True)):
        with guarded.spoiled(planted) as look:
            read: list[str] = []

            class Recorded(Database):
                def unrecorded(self, query: sql.Composed, read: list[str] = read) -> list[dict[str, Any]]:
                    read.append(query.as_string(None))
                    return super().unrecorded(query)

            of = look.database
            recorded = Recorded(of.facts, of.examination, of.access, of.name, of.session)
            tried(replace(look, database=recorded), ORDERS)
            bearing = [query for query in read if "r.xmax = " in query]
            assert bearing
            assert any("IS DISTINCT FROM" in query for query in bearing) is reads_all


def test_what_the_grants_do_not_allow_is_refused_too(guarded: Guarded) -> None:
    planted = f'CREATE POLICY more ON lines USING (true); REVOKE INSERT, UPDATE, DELETE ON lines FROM "{ROLE}"'
    with guarded.spoiled(planted) as look:
        assert tried(look, LINES) == (14, [])


def test_what_the_server_turns_away_for_another_reason_is_blocked(guarded: Guarded) -> None:
    planted = f'REVOKE INSERT ON lines FROM "{ROLE}"; GRANT INSERT (what) ON lines TO "{ROLE}"'
    with guarded.spoiled(planted) as look, pytest.raises(Blocked, match="3 of 14 writes could not be tried: INSERT"):
        tried(look, LINES)
    with (
        guarded.spoiled(f'REVOKE SELECT ON lines FROM "{ROLE}"') as look,
        pytest.raises(Blocked, match=r"may not read public\.lines: its grants were not restored"),
    ):
        tried(look, LINES)


def test_a_table_without_rows_of_two_tenants_is_a_pass_on_nothing(guarded: Guarded) -> None:
    with guarded.spoiled("DELETE FROM lines WHERE \"order Tenant\"::text NOT LIKE '%1'") as look:
        assert tried(look, LINES) == (0, [])


def test_no_write_leaves_a_trace(guarded: Guarded) -> None:
    before = 'SELECT md5(string_agg(o::text, \',\' ORDER BY no)) FROM "Odd"."Orders" o'
    drawn = "SELECT last_value || is_called::text FROM public.touched"
    with guarded.spoiled('CREATE POLICY more ON "Odd"."Orders" USING (true)') as look:
        session = look.database.session
        was = [session.execute(query).fetchall() for query in (before, drawn)]
        assert tried(look, ORDERS)[1]
        assert [session.execute(query).fetchall() for query in (before, drawn)] == was


WAYS = {
    "a view of the owner's": ("CREATE VIEW v AS SELECT * FROM lines", "view public.v"),
    "a view within a view that may be read": (
        "CREATE SCHEMA hidden; CREATE VIEW hidden.v AS SELECT * FROM lines; "
        "CREATE VIEW v AS SELECT * FROM hidden.v; ALTER VIEW v OWNER TO clerk; REVOKE ALL ON hidden.v FROM PUBLIC",
        "view hidden.v",
    ),
    "a materialised view of a view": (
        "CREATE VIEW w WITH (security_invoker) AS SELECT * FROM lines; CREATE MATERIALIZED VIEW v AS SELECT * FROM w",
        "view public.v",
    ),
    "a function": (
        "CREATE FUNCTION f(a int) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM lines'",
        "function public.f(a integer)",
    ),
    "a part of a table": (
        "CREATE TABLE part () INHERITS (lines)",
        "table public.part",
    ),
    "an emptied table": (f'GRANT TRUNCATE ON lines TO "{ROLE}"', "truncate public.lines"),
}


@pytest.mark.parametrize("what", WAYS)
def test_a_way_past_the_policies_is_named(guarded: Guarded, what: str) -> None:
    planted, named = WAYS[what]
    grants = f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{ROLE}"'
    with guarded.spoiled(f"{planted}; {grants}") as look:
        assert left_open(look.database, ROLE)[1] == [f"past row security {named}"]


@pytest.mark.parametrize(
    "planted",
    [
        "CREATE VIEW v WITH (security_invoker = on) AS SELECT * FROM lines",
        "CREATE VIEW v AS SELECT * FROM lines; ALTER VIEW v OWNER TO clerk",
        "CREATE VIEW v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM lines'",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; "
        "ALTER FUNCTION f() OWNER TO clerk",
        "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; "
        "REVOKE ALL ON FUNCTION f() FROM PUBLIC",
        "ALTER TABLE lines OWNER TO shop_owner; ALTER TABLE lines FORCE ROW LEVEL SECURITY; "
        "CREATE VIEW v AS SELECT * FROM lines; ALTER VIEW v OWNER TO shop_owner",
    ],
)
@pytest.mark.further
def test_what_asks_the_policies_is_not_named(guarded: Guarded, planted: str) -> None:
    with guarded.spoiled(f'{planted}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{ROLE}"') as look:
        looked, past = left_open(look.database, ROLE)
        assert past == []
        assert looked > 0
