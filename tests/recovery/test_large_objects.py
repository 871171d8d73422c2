"""A tenant's large objects come back with their numbers, contents, owners and privileges, and nobody else's are touched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.commands.recovering.shown import lines
from fixtures.database.catalogue import take_facts
from fixtures.ownership import derive_ownership
from fixtures.recovery.comparison import Comparison, Source, compare
from fixtures.recovery.journal import Journal
from fixtures.recovery.large_objects import ObjectsCompared
from fixtures.recovery.merge import Merged, merge
from fixtures.recovery.refused import RecoveryRefused
from fixtures.server import Server, ServerRequest
from tests.support import recovered_shop
from tests.support.kept_server import server_with
from tests.support.recovered_shop import PROFILE
from tests.support.small_source import another_server

LONG = 1_500_000
MERGER = {"user": "merger", "password": "of-this-test"}
"""Reads and writes rows, and is no superuser and owner of nothing."""
SCHEMA = f"""
{recovered_shop.SCHEMA}
CREATE DOMAIN lo AS oid;
CREATE TABLE scans (id bigint PRIMARY KEY, site bigint REFERENCES sites, picture lo);
INSERT INTO scans SELECT g, g, 5000 + g FROM generate_series(1, 6) g;
SELECT lo_from_bytea((5000 + g)::oid, convert_to('scan ' || g, 'UTF8')) FROM generate_series(1, 6) g;
SELECT lo_put(5002, {LONG}, 'the end');
INSERT INTO scans VALUES (8, 2, lo_create(5008));

"""


def write(session: psycopg.Connection[Any], statements: str) -> None:
    session.execute(statements)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("restored", SCHEMA) as running:
        with running.connect("restored") as session:
            write(session, "CREATE ROLE app; CREATE ROLE reader; ALTER LARGE OBJECT 5002 OWNER TO app")
            write(session, "GRANT SELECT ON LARGE OBJECT 5002 TO reader; GRANT SELECT ON LARGE OBJECT 5002 TO PUBLIC")
            write(session, "CREATE ROLE merger LOGIN PASSWORD 'of-this-test' BYPASSRLS")
            write(session, "GRANT pg_read_all_data, pg_write_all_data TO merger")
        yield running


@contextmanager
def shown(
    server: Server, other: Server | None = None, **role: str
) -> Iterator[tuple[Source, psycopg.Connection[Any], Comparison]]:
    """Production is on the other server where one is given."""
    with server.reading("restored") as session, (other or server).connect("production", **role) as live:
        facts = take_facts(session)
        source = Source(session, facts, PROFILE, derive_ownership(facts, PROFILE.tenancy))
        yield source, live, compare(source, live, "1")


def merged(server: Server, out: Path, *, replace_changed: bool = False, **role: str) -> Merged:
    with shown(server, None, **role) as (source, live, comparison), Journal(out, "test") as journal:
        return merge(source, live, "1", comparison, journal, replace_changed=replace_changed, broken=lambda _: {})


def contents(session: psycopg.Connection[Any]) -> dict[int, tuple[bytes, str, str | None]]:
    query = "SELECT oid::int, lo_get(oid), lomowner::regrole::text, lomacl::text FROM pg_largeobject_metadata"
    return {number: (content, owner, acl) for number, content, owner, acl in session.execute(query)}


def of_the_backup(server: Server) -> dict[int, tuple[bytes, str, str | None]]:
    with server.connect("restored") as session:
        return contents(session)


def counts(objects: ObjectsCompared) -> dict[str, list[int]]:
    return {name: sorted(getattr(objects, name).numbers) for name in ("same", "added", "changed", "removed", "taken")}


def test_objects_that_are_gone_come_back_with_their_numbers_owners_and_privileges(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    write(
        production, "DELETE FROM scans WHERE site = 2; SELECT lo_unlink(n) FROM unnest(ARRAY[5002, 5003, 5004, 5008]) n"
    )
    write(production, "SELECT lo_put(5006, 0, 'SCAN'), lo_from_bytea(6000, 'since'), lo_put(5001, 0, 'other')")
    write(production, "INSERT INTO scans VALUES (90, 2, 6000)")
    before = contents(production)
    with shown(server) as (_, _, comparison):
        assert counts(comparison.objects) == {
            **{"same": [], "added": [5002, 5004, 5008], "changed": [5006], "removed": [6000], "taken": []},
        }
        said = "\n".join(lines(comparison, b"key"))
    assert "large objects: 0 same (0 B), 3 added (1.4 MiB), 1 changed (6 B), 1 removed (5 B)" in said
    assert merged(server, tmp_path / "kept").objects == 3
    backup = of_the_backup(server)
    assert contents(production) == before | {number: backup[number] for number in (5002, 5004, 5008)}
    assert len(backup[5002][0]) == LONG + len("the end")
    assert merged(server, tmp_path / "replaced", replace_changed=True).objects == 1
    after = contents(production)
    assert after[5006] == backup[5006]
    assert {5001: after[5001], 6000: after[6000]} == {5001: before[5001], 6000: before[6000]}
    assert 5003 not in after


def test_an_object_whose_number_was_given_out_again_is_in_the_way(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    write(production, "DELETE FROM scans WHERE site = 2; SELECT lo_unlink(5002); SELECT lo_from_bytea(5002, 'since')")
    before = contents(production)
    # Who may read every table may read every large object's pages.
    with shown(server, None, **MERGER) as (_, _, comparison):
        assert counts(comparison.objects)["taken"] == [5002]
        (said,) = comparison.in_the_way
    assert said.startswith("1 large object of the backup whose number has another content in production")
    with pytest.raises(RecoveryRefused, match="something is in the way"):
        merged(server, tmp_path)
    assert contents(production) == before


def test_an_object_that_another_tenants_row_names_too_is_in_the_way(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    write(production, "UPDATE scans SET picture = 5002 WHERE id = 1; SELECT lo_unlink(5002)")
    with shown(server) as (_, _, comparison):
        (said,) = comparison.in_the_way
    assert said == "1 large object that a row which is not this tenant's names as well"


def test_an_ordinary_role_brings_back_those_whose_owner_it_is_a_member_of(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    write(production, "SELECT lo_unlink(5002)")
    before = contents(production)
    with pytest.raises(RecoveryRefused, match=r"production refused a row: .*member of role"):
        merged(server, tmp_path / "no member", **MERGER)
    assert contents(production) == before
    write(production, "GRANT app TO merger")
    try:
        assert merged(server, tmp_path / "member", **MERGER).objects == 1
    finally:
        write(production, "REVOKE app FROM merger")
    assert contents(production) == of_the_backup(server)


def test_an_object_of_an_owner_that_production_has_not_is_the_owners_of_the_table(
    server: Server, tmp_path: Path
) -> None:
    with another_server(ServerRequest("10b5ec75", choice="local")) as (other, _), other.connect() as administering:
        write(administering, "CREATE ROLE app; CREATE ROLE reader; CREATE ROLE shop_owner")
        other.create_database("production")
        with other.connect("production") as production:
            write(
                production, f"{SCHEMA}; ALTER TABLE scans OWNER TO shop_owner; SELECT lo_unlink(5002), lo_unlink(5004)"
            )
        with server.connect("restored") as session:
            write(session, "CREATE ROLE elsewhere; ALTER LARGE OBJECT 5004 OWNER TO elsewhere")
        try:
            with shown(server, other) as (source, live, comparison), Journal(tmp_path, "test") as journal:
                merge(source, live, "1", comparison, journal, replace_changed=False, broken=lambda _: {})
                there = contents(live)
        finally:
            with server.connect("restored") as session:
                write(session, f"ALTER LARGE OBJECT 5004 OWNER TO {session.info.user}; DROP ROLE elsewhere")
    assert there[5002] == of_the_backup(server)[5002]
    assert there[5004] == (b"scan 4", "shop_owner", None)


def test_a_role_that_may_read_no_large_object_compares_a_tenant_that_has_none(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    with server.connect("restored") as session:
        write(session, "UPDATE scans SET picture = NULL WHERE site % 2 = 0")
    write(production, "UPDATE scans SET picture = NULL WHERE site % 2 = 0")
    write(production, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO merger; REVOKE pg_read_all_data FROM merger")
    try:
        with shown(server, None, **MERGER) as (_, _, comparison):
            assert comparison.objects.mine == frozenset()
    finally:
        write(production, "GRANT pg_read_all_data TO merger")
        with server.connect("restored") as session:
            write(session, "UPDATE scans SET picture = 5000 + id WHERE site % 2 = 0")


def test_a_hole_in_an_object_is_as_the_zeros_that_come_back_from_a_dump(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    write(production, f"SELECT lo_put(5002, 2048, lo_get(5002, 2048, {LONG - 2048}))")
    with shown(server) as (_, _, comparison):
        assert counts(comparison.objects)["same"] == [5002, 5004, 5006, 5008]


def test_a_trigger_that_writes_an_object_of_others_takes_all_of_it_back(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    write(production, "DELETE FROM scans WHERE site = 2; SELECT lo_unlink(5002)")
    write(
        production,
        "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM lo_unlink(5001); RETURN NULL; END $$;"
        "CREATE TRIGGER act AFTER INSERT ON scans EXECUTE FUNCTION act()",
    )
    before = contents(production)
    with pytest.raises(RecoveryRefused, match="large objects that are not this tenant's would have changed"):
        merged(server, tmp_path)
    assert contents(production) == before
