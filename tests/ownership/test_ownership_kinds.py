"""Rows that no foreign key of theirs gives an owner: each way that a profile can declare, on a real database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.database.catalogue import take_structure
from fixtures.database.digests import Division, divisible, pin, scan
from fixtures.database.shares_file import SharesLine
from fixtures.ownership import Ownership, derive_ownership
from fixtures.profile.tenancy import Tenancy
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.digesting import empty_database, run
from tests.support.kept_server import kept_server

SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE tenants (id int PRIMARY KEY, customer_id int REFERENCES customers, schema_name text, prefix text);
CREATE TABLE projects (id int PRIMARY KEY);
CREATE TABLE tenant_projects (id int PRIMARY KEY, tenant_id int REFERENCES tenants, project_id int REFERENCES projects);
CREATE TABLE jobs (id int PRIMARY KEY, project_id int REFERENCES projects);
CREATE TABLE pages (id int PRIMARY KEY, path text UNIQUE);
CREATE TABLE sites (id int PRIMARY KEY, tenant_id int REFERENCES tenants, root_page_id int REFERENCES pages);
CREATE TABLE revisions (id int PRIMARY KEY, page_id int REFERENCES pages);
CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text);
CREATE TABLE notes (id int PRIMARY KEY, type int REFERENCES django_content_type, "objectId" text);
INSERT INTO django_content_type VALUES (1, 'work', 'project'), (2, 'work', 'job'), (3, 'crm', 'tenant'), (4, 'crm', 'word');
INSERT INTO notes VALUES (1, 1, '1'), (2, 2, '2'), (3, 3, '3'), (4, 1, '3'), (5, 1, '99'), (6, 4, '1'), (7, NULL, NULL);
CREATE TABLE words (id int PRIMARY KEY);
CREATE TABLE documents (place text PRIMARY KEY);
CREATE TABLE exports ("exportNo" int, part int, made_for text, PRIMARY KEY ("exportNo", part));
INSERT INTO customers VALUES (71, 'a'), (72, 'b'), (73, 'nobody'), (74, 'both');
INSERT INTO tenants VALUES (1, 71, 'one', '/a'), (2, 72, 'two', '/b/'), (3, 74, 'three', '/a/c/'), (4, 74, NULL, NULL);
INSERT INTO projects SELECT generate_series(1, 4);
INSERT INTO tenant_projects VALUES (1, 1, 1), (2, 1, 1), (3, 2, 2), (4, 1, 3), (5, 2, 3);
INSERT INTO jobs VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, NULL);
INSERT INTO pages VALUES (1, '0001'), (2, '00010001'), (3, '000100010007'), (4, '00010002'), (5, '000100010003'),
                         (6, '0001000100030001');
INSERT INTO sites VALUES (1, 1, 2), (2, 2, 4), (3, 2, 5);
INSERT INTO revisions VALUES (1, 3), (2, 4), (3, 1), (4, 6);
INSERT INTO documents VALUES ('/a'), ('/a/x'), ('/ab/x'), ('/a/c/x'), ('/b/y'), ('/bad');
INSERT INTO exports VALUES (1, 1, 'one'), (1, 2, 'two'), (2, 1, 'nobody');
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with empty_database(server) as connection:
        run(connection, SCHEMA)
        yield connection


def ownership(database: psycopg.Connection[Any], folder: Path | None = None, **said: object) -> Ownership:
    with database.cursor(row_factory=dict_row) as cursor:
        facts = take_structure(cursor)
    tenancy = Tenancy.model_validate({"root": "tenants", **said}, context={"folder": folder})
    assert list(derive_ownership(facts, tenancy).unworkable) == []
    return derive_ownership(facts, tenancy)


def owners(database: psycopg.Connection[Any], derived: Ownership, table: str) -> list[tuple[object, ...]]:
    """Key, owner and whether there are several, for every row, as the server tells them with an empty search path."""
    name = TableName.parse(table)
    path = derived.owned[name]
    query = sql.SQL("SELECT r.{key}, {owner}, {several} FROM {table} r {joins} ORDER BY 1").format(
        key=sql.SQL("place" if table == "documents" else "id"),
        owner=path.owner("r"),
        several=sql.SQL("{} > 1").format(path.tenants("r")) if path.may_be_several else sql.SQL("false"),
        table=name.identifier,
        joins=path.joins("r"),
    )
    with database.transaction():
        database.execute("SET LOCAL search_path = pg_catalog")
        return database.execute(query).fetchall()


def test_a_row_belongs_to_the_tenant_that_points_at_it(database: psycopg.Connection[Any]) -> None:
    derived = ownership(database, downward=[{"table": "customers", "owner": "tenants"}])
    assert owners(database, derived, "customers") == [
        (71, 1, False),
        (72, 2, False),
        (73, None, False),
        (74, None, True),
    ]
    assert str(derived.ways[TableName("public", "customers")]) == (
        "public.customers <- public.tenants(customer_id) (declared in tenancy.downward)"
    )


def test_a_row_belongs_to_the_tenant_that_a_table_between_ties_it_to(database: psycopg.Connection[Any]) -> None:
    derived = ownership(database, many_to_many=[{"table": "projects", "through": "tenant_projects"}])
    expected = [(1, 1, False), (2, 2, False), (3, None, True), (4, None, False)]
    assert owners(database, derived, "projects") == expected
    assert owners(database, derived, "jobs") == [*expected, (5, None, False)], "and what stands on it with it"
    assert str(derived.owned[TableName("public", "jobs")]) == (
        "public.jobs -> public.projects <- public.tenant_projects(project_id) -> public.tenants"
    )


def test_a_row_belongs_to_the_deepest_tenant_below_whose_row_its_path_lies(database: psycopg.Connection[Any]) -> None:
    said = {"table": "pages", "column": "path", "separator": "", "owner": "sites", "owner_row": ["root_page_id"]}
    derived = ownership(database, path_string=[said])
    assert [row[1] for row in owners(database, derived, "pages")] == [None, 1, 1, 2, 2, 2]
    assert owners(database, derived, "revisions") == [(1, 1, False), (2, 2, False), (3, None, False), (4, 2, False)]


def test_a_path_is_compared_part_by_part(database: psycopg.Connection[Any]) -> None:
    said = {"table": "documents", "column": "place", "separator": "/", "owner": "tenants", "owner_path": "prefix"}
    derived = ownership(database, path_string=[said])
    assert dict(row[:2] for row in owners(database, derived, "documents")) == {
        "/a": 1,
        "/a/x": 1,
        "/ab/x": None,
        "/a/c/x": 3,
        "/b/y": 2,
        "/bad": None,
    }


def test_two_tenants_of_one_path_own_nothing_between_them(database: psycopg.Connection[Any]) -> None:
    said = {"table": "documents", "column": "place", "separator": "/", "owner": "tenants", "owner_path": "prefix"}
    derived = ownership(database, path_string=[said])
    with database.transaction(force_rollback=True):
        database.execute("INSERT INTO tenants VALUES (5, NULL, NULL, '/b')")
        assert ("/b/y", None, True) in owners(database, derived, "documents")


def test_a_query_of_the_profile_says_who_owns_a_row(database: psycopg.Connection[Any], tmp_path: Path) -> None:
    (tmp_path / "exports.sql").write_text(QUERY)
    derived = ownership(database, tmp_path, owner_query={"exports": "exports.sql"})
    path = derived.owned[TableName("public", "exports")]
    query = sql.SQL('SELECT r."exportNo", r.part, {} FROM exports r {} ORDER BY 1, 2')
    assert database.execute(query.format(path.owner("r"), path.joins("r"))).fetchall() == [
        (1, 1, 1),
        (1, 2, 2),
        (2, 1, None),
    ]


GENERIC = {
    "table": "notes",
    "type_column": "type",
    "id_column": "objectId",
    "models": {"work.project": "projects", "work.job": "jobs", "crm.tenant": "tenants", "crm.word": "words"},
}
OF_ANY_MODEL: dict[str, object] = {
    "many_to_many": [{"table": "projects", "through": "tenant_projects"}],
    "generic_reference": [GENERIC],
    "shared": {"words": "the same for everyone"},
    "owner_via": {"notes": "objectId"},
}


def test_a_row_belongs_to_the_tenant_of_whatever_row_it_means(database: psycopg.Connection[Any]) -> None:
    """Of a project, a job, the tenant itself; one that is two tenants', one that is gone, a shared one, and none."""
    derived = ownership(database, **OF_ANY_MODEL)
    expected = [(1, 1, False), (2, 2, False), (3, 3, False), (4, None, False), (5, None, False)]
    assert owners(database, derived, "notes") == [*expected, (6, None, False), (7, None, False)]
    assert str(derived.ways[TableName("public", "notes")]) == (
        "public.notes -> whatever type and objectId mean (public.tenants, public.jobs, public.projects) "
        "(declared in tenancy.owner_via)"
    )


def test_what_may_be_meant_and_belongs_to_nobody_is_said_first(database: psycopg.Connection[Any]) -> None:
    with database.cursor(row_factory=dict_row) as cursor:
        facts = take_structure(cursor)
    tenancy = Tenancy.model_validate({"root": "tenants", **OF_ANY_MODEL, "shared": {}})
    assert list(derive_ownership(facts, tenancy).unworkable) == [
        "tenancy.owner_via: objectId of public.notes may mean rows of tables that are neither owned nor declared shared, "
        "or of shared ones alone: say whose those are first"
    ]


def test_a_tenants_schema_owns_every_table_in_it(database: psycopg.Connection[Any]) -> None:
    with database.transaction(force_rollback=True):
        database.execute("CREATE SCHEMA one CREATE TABLE orders (id int PRIMARY KEY)")
        database.execute("CREATE TABLE one.lines (id int PRIMARY KEY, order_id int REFERENCES one.orders)")
        database.execute("CREATE SCHEMA lost CREATE TABLE orders (id int PRIMARY KEY)")
        database.execute("CREATE SCHEMA reports CREATE TABLE orders (id int PRIMARY KEY)")
        database.execute("INSERT INTO one.orders VALUES (1); INSERT INTO lost.orders VALUES (1)")
        derived = ownership(
            database,
            schemas={"column": "schema_name", "apart": {"reports": {"at_most": 1, "reason": "what the office counts"}}},
        )
        assert owners(database, derived, "one.orders") == [(1, 1, False)]
        assert owners(database, derived, "lost.orders") == [(1, None, False)], "no tenant has that schema"
        assert TableName("reports", "orders") in derived.undecided
        assert (
            str(derived.owned[TableName("one", "lines")]) == "one.lines -> public.tenants (its schema, by schema_name)"
        )
        with database.cursor(row_factory=dict_row) as cursor:
            assert not [key.id for key in derived.references(take_structure(cursor)) if key.table.schema == "one"]


def test_a_table_that_inherits_is_owned_as_its_parent_is(database: psycopg.Connection[Any]) -> None:
    with database.transaction(force_rollback=True):
        database.execute("CREATE TABLE old_jobs (reason text) INHERITS (jobs); INSERT INTO old_jobs VALUES (9, 2, 'x')")
        derived = ownership(database, many_to_many=[{"table": "projects", "through": "tenant_projects"}])
        assert owners(database, derived, "old_jobs") == [(9, 2, False)]


def test_a_reference_of_one_partition_alone_is_tried_as_well(database: psycopg.Connection[Any]) -> None:
    with database.transaction(force_rollback=True):
        database.execute(
            """
            CREATE TABLE events (id int, at int, tenant_id int REFERENCES tenants, site_id int) PARTITION BY RANGE (at);
            CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (1) TO (9) PARTITION BY LIST (id);
            CREATE TABLE events_1a PARTITION OF events_1 FOR VALUES IN (7);
            ALTER TABLE events_1a ADD CONSTRAINT of_one_alone FOREIGN KEY (site_id) REFERENCES sites;
            INSERT INTO events VALUES (7, 3, 2, 1);
            """
        )
        derived = ownership(database, owner_via={"sites": "tenant_id"}, shared={"pages": "of several sites"})
        assert owners(database, derived, "events_1a") == [(7, 2, False)]
        with database.cursor(row_factory=dict_row) as cursor:
            ids = [key.id for key in derived.references(take_structure(cursor))]
        assert "public.events_1a(site_id)->public.sites" in ids
        assert not [name for name in derived.ways if "events_1" in name.name], "it is judged with the whole"


KINDS: dict[str, dict[str, object]] = {
    "customers": {"downward": [{"table": "customers", "owner": "tenants"}]},
    "jobs": {"many_to_many": [{"table": "projects", "through": "tenant_projects"}]},
    "revisions": {
        "path_string": [
            {"table": "pages", "column": "path", "separator": "", "owner": "sites", "owner_row": ["root_page_id"]}
        ]
    },
    "exports": {"owner_query": {"exports": "exports.sql"}},
    "notes": OF_ANY_MODEL,
}
QUERY = """
SELECT e."exportNo", e.part, t.id AS tenant
FROM public.exports e JOIN public.tenants t ON t.schema_name = e.made_for -- by the name of its schema
"""


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_backup_set_shares_its_rows_out_by_any_of_these_ways(
    database: psycopg.Connection[Any], tmp_path: Path, name: str
) -> None:
    """The set writes down how it divided, and what reads it back divides alike, but for a query, which it must bring."""
    (tmp_path / "exports.sql").write_text(QUERY)
    derived = ownership(database, tmp_path, **KINDS[name])
    path = derived.owned[TableName("public", name)]
    division = Division(table=path.table, owner=path, plain_keys=True, money=())
    written = SharesLine(division=division, shares={}).model_dump_json(exclude_defaults=True)
    assert "SELECT" not in written
    read = SharesLine.model_validate_json(written).division
    with database.transaction(), database.cursor(row_factory=dict_row) as cursor:
        facts = take_structure(cursor)
        pin(cursor)
        table = facts.table(path.table)
        assert table is not None
        tables = {each.name: each for each in facts.tables}
        queries = {query.sha256: query.query for query in path.files}
        assert read.asking(queries) == division
        assert divisible(division, tables) == ""
        assert scan(cursor, table, "UTF8", division).shares == scan(cursor, table, "UTF8", read.asking(queries)).shares
        rows = {tenant: share.rows for tenant, share in scan(cursor, table, "UTF8", division).shares.items()}
    assert (
        rows
        == {
            "customers": {"1": 1, "2": 1, "": 2},
            "jobs": {"1": 1, "2": 1, "": 3},
            "revisions": {"1": 1, "2": 2, "": 1},
            "exports": {"1": 1, "2": 1, "": 1},
            "notes": {"1": 1, "2": 1, "3": 1, "": 4},
        }[name]
    )
    if queries:
        another = "the profile's exports.sql is not the query that the backup was taken with"
        assert divisible(read.asking({}), tables) == another
