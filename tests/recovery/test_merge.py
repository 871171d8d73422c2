"""What was deleted comes back in one transaction of an ordinary role, and nobody else's rows change: or nothing does."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.database.catalogue import take_facts
from fixtures.ownership import derive_ownership
from fixtures.recovery.comparison import Comparison, Source, compare
from fixtures.recovery.journal import Journal
from fixtures.recovery.merge import Merged, merge
from fixtures.recovery.refused import RecoveryRefused
from fixtures.server import Server
from tests.support.recovered_shop import CANARY, PROFILE

OWNED = {
    "tenants": "id",
    "sites": "tenant",
    "members": "tenant",
    "bills": "(SELECT tenant FROM sites WHERE sites.id = site)",
    "lines": "(SELECT tenant FROM bills JOIN sites ON sites.id = site WHERE bills.id = bill)",
    "visits": "(SELECT tenant FROM sites WHERE sites.id = site)",
}
"""Each table with its tenant, written by hand."""
AN_ACCIDENT = "".join(
    f"DELETE FROM {table} WHERE {OWNED[table]} = 1;"
    for table in ("visits", "lines", "bills", "members", "sites", "tenants")
)
ROLE, PASSWORD = "merger", "of-this-test"


@pytest.fixture(scope="module", autouse=True)
def role(server: Server) -> None:
    """Reads and writes rows, and is no superuser and owner of nothing."""
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}' BYPASSRLS")  # type: ignore[arg-type]
        connection.execute(f"GRANT pg_read_all_data, pg_write_all_data TO {ROLE}")  # type: ignore[arg-type]


def contents(connection: psycopg.Connection[Any], tenant: int) -> dict[str, list[str]]:
    return {
        table: sorted(row for (row,) in connection.execute(f"SELECT t::text FROM {table} t WHERE {owner} = {tenant}"))  # type: ignore[arg-type]
        for table, owner in OWNED.items()
    }


def of_the_backup(server: Server, tenant: int) -> dict[str, list[str]]:
    with server.connect("restored") as connection:
        return contents(connection, tenant)


@contextmanager
def shown(server: Server) -> Iterator[tuple[Source, psycopg.Connection[Any], Comparison]]:
    with (
        server.reading("restored") as session,
        server.connect("production", user=ROLE, password=PASSWORD) as live,
    ):
        facts = take_facts(session)
        source = Source(session, facts, PROFILE, derive_ownership(facts, PROFILE.tenancy))
        yield source, live, compare(source, live, "1")


class Interrupted(Journal):
    """A journal that does something of its own once a step was written."""

    def __init__(self, out: Path, act: Callable[[str, str], None]) -> None:
        super().__init__(out, "test")
        self._act = act

    def write(self, step: str, state: str, **more: object) -> None:
        super().write(step, state, **more)
        self._act(step, state)


def merged(
    server: Server,
    out: Path,
    *,
    replace_changed: bool = False,
    act: Callable[[str, str], None] = lambda step, state: None,
) -> Merged:
    with shown(server) as (source, live, comparison), Interrupted(out, act) as journal:
        return merge(source, live, "1", comparison, journal, replace_changed=replace_changed, broken=lambda session: {})


def killed_at(step: int) -> Callable[[str, str], None]:
    """Ends this process by SIGKILL once so many steps were written before."""
    numbers = count()

    def act(name: str, state: str) -> None:
        if next(numbers) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return act


def steps(out: Path) -> list[tuple[str, str]]:
    (file,) = (out / "recoveries").iterdir()
    assert CANARY not in file.read_text()
    return [(line["step"], line["state"]) for line in map(json.loads, file.read_text().splitlines())]


def test_a_tenant_that_was_deleted_is_as_in_the_backup_and_all_others_are_as_they_were(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute(AN_ACCIDENT)  # type: ignore[arg-type]
    production.execute(
        "DELETE FROM people WHERE email LIKE '%2' OR email LIKE '%4'; DELETE FROM countries WHERE code = 'NL'"
    )
    production.execute("UPDATE sites SET title = 'since' WHERE tenant = 2; INSERT INTO bills VALUES (901, 1, 'EUR', 9)")
    production.execute("ALTER SEQUENCE sites_id_seq RESTART 1")
    others = contents(production, 2)

    def meanwhile(step: str, state: str) -> None:
        if (step, state) == ("check", "begun"):
            production.execute("UPDATE sites SET title = 'meanwhile' WHERE id = 1")

    done = merged(server, tmp_path, act=meanwhile)
    assert contents(production, 1) == of_the_backup(server, 1)
    expected = [row.replace("since", "meanwhile") if row.startswith("(1,") else row for row in others["sites"]]
    assert contents(production, 2) == others | {"sites": expected}
    assert {str(name): rows for name, rows in done.shared.items()} == {"public.people": 2, "public.countries": 1}
    assert {str(name): rows for name, rows in done.added.items()}["public.bills"] == 40
    assert [str(name) for name in done.sequences] == ["public.sites_id_seq"]
    row = production.execute("SELECT nextval('sites_id_seq')").fetchone()
    assert row == (9,)
    assert steps(tmp_path)[-2:] == [("commit", "begun"), ("commit", "done")]
    with shown(server) as (_, _, after):
        assert not any(each.differs for each in after.differences)


def test_a_changed_row_stays_unless_it_is_to_be_replaced_and_a_newer_one_stays_always(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute("UPDATE bills SET total = 0 WHERE id = 3; INSERT INTO bills VALUES (902, 2, 'EUR', 1)")
    production.execute("DELETE FROM lines WHERE bill = 5 AND no = 2")
    production.execute("DELETE FROM visits WHERE ctid = (SELECT min(ctid) FROM visits WHERE site = 2)")
    merged(server, tmp_path / "kept")
    backup = of_the_backup(server, 1)
    assert contents(production, 1)["lines"] == backup["lines"]
    assert contents(production, 1)["visits"] == backup["visits"]
    assert production.execute("SELECT total FROM bills WHERE id IN (3, 902) ORDER BY id").fetchall() == [(0,), (1,)]
    done = merged(server, tmp_path / "replaced", replace_changed=True)
    assert {str(name): rows for name, rows in done.changed.items()} == {"public.bills": 1}
    assert production.execute("SELECT total FROM bills WHERE id IN (3, 902) ORDER BY id").fetchall() == [(3,), (1,)]


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        (
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN UPDATE sites SET title = 'astray' WHERE id = 1; RETURN NULL; END $$;"
            "CREATE TRIGGER act AFTER INSERT ON bills EXECUTE FUNCTION act()",
            "not this tenant's would have changed in public.sites",
        ),
        (
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO countries VALUES ('XX'); RETURN NULL; END $$;"
            "CREATE TRIGGER act AFTER INSERT ON bills EXECUTE FUNCTION act()",
            "not this tenant's would have changed in public.countries",
        ),
        (
            "CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.total = 0; RETURN NEW; END $$;"
            "CREATE TRIGGER act BEFORE INSERT ON bills FOR EACH ROW EXECUTE FUNCTION act()",
            "rows of public.bills would not have been the backup's",
        ),
        (
            f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '{CANARY}'; END $$;"
            "CREATE TRIGGER act BEFORE INSERT ON bills FOR EACH ROW EXECUTE FUNCTION act()",
            "RaiseException within a function of the database; everything was rolled back",
        ),
        (
            "UPDATE sites SET title = id::text WHERE id > 1; CREATE UNIQUE INDEX once ON sites (title)",
            "production refused a row of sites",
        ),
    ],
)
def test_what_would_come_out_otherwise_is_rolled_back_and_named(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path, planted: str, words: str
) -> None:
    production.execute(AN_ACCIDENT)  # type: ignore[arg-type]
    production.execute(planted)  # type: ignore[arg-type]
    before = contents(production, 1), contents(production, 2)
    with pytest.raises(RecoveryRefused, match=words) as refused:
        merged(server, tmp_path)
    assert CANARY not in str(refused.value)
    assert (contents(production, 1), contents(production, 2)) == before
    assert steps(tmp_path)[-1] == ("merge", "rolled back")


def test_what_is_not_any_more_as_it_was_shown_is_left_alone(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute("DELETE FROM lines WHERE bill = 5")
    with shown(server) as (source, live, comparison), Journal(tmp_path, "test") as journal:
        production.execute("DELETE FROM lines WHERE bill = 7")
        before = contents(production, 1)
        with pytest.raises(RecoveryRefused, match="not any more as they were shown"):
            merge(source, live, "1", comparison, journal, replace_changed=False, broken=lambda session: {})
    assert contents(production, 1) == before


def test_a_journal_that_cannot_be_written_ends_it_before_the_commit_and_takes_nothing_back_after_it(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute(AN_ACCIDENT)  # type: ignore[arg-type]
    before = contents(production, 1)

    def full_at(*ends: str) -> Callable[[str, str], None]:
        def act(step: str, state: str) -> None:
            if (step, state) == ends:
                raise OSError(28, "No space left on device")

        return act

    with pytest.raises(OSError, match="No space left"):
        merged(server, tmp_path / "before", act=full_at("commit", "begun"))
    assert contents(production, 1) == before
    assert merged(server, tmp_path / "after", act=full_at("commit", "done")).unjournaled == "No space left on device"
    assert contents(production, 1) == of_the_backup(server, 1)


def killed_merge(
    server: Server, production: psycopg.Connection[Any], out: Path, act: Callable[[str, str], None]
) -> None:
    """A merge by a process that `act` kills; returns once the server has ended its session."""
    child = os.fork()
    if child == 0:
        try:
            merged(server, out, act=act)
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    while production.execute("SELECT FROM pg_stat_activity WHERE usename = %s", [ROLE]).fetchone() is not None:
        pass


def test_killed_before_the_commit_it_leaves_production_as_it_was(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute(AN_ACCIDENT)  # type: ignore[arg-type]
    old = contents(production, 1)

    def act(step: str, state: str) -> None:
        if (step, state) == ("commit", "begun"):
            os.kill(os.getpid(), signal.SIGKILL)

    killed_merge(server, production, tmp_path, act)
    assert contents(production, 1) == old
    assert steps(tmp_path)[-1] == ("commit", "begun")


@pytest.mark.further
def test_killed_at_any_step_it_leaves_production_wholly_old_or_wholly_new(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute(AN_ACCIDENT)  # type: ignore[arg-type]
    old, new = contents(production, 1), of_the_backup(server, 1)
    merged_at: list[bool] = []
    while not merged_at or not merged_at[-1]:
        at = len(merged_at)
        assert at < 30
        killed_merge(server, production, tmp_path / str(at), killed_at(at))
        there = contents(production, 1)
        assert there in (old, new)
        assert (steps(tmp_path / str(at))[-1] == ("commit", "done")) == (there == new)
        merged_at.append(there == new)
    assert len(merged_at) == 2 + len(OWNED) + 2 + 1
