"""A whole drill on each provider of a server: verified alike, nothing left, and no password shown."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from tests.server.test_server_container import containers
from tests.server.test_server_scratch import Standing as Named
from tests.support.drills import Drill
from tests.support.outputs import PDF, nothing_told
from tests.support.short_drills import LOADED, MIGRATED, Standing
from tests.support.watched_drill import MIGRATES, Watched, watched_drill

PASSWORD = f"p4ssw0rd/{secrets.token_urlsafe(8)}"


ALLOWED = ("--scratch-superuser",)


@pytest.fixture(scope="module")
def there() -> Iterator[Named]:
    """A server that was there before, with a database and a role of somebody else's."""
    with Guardian("standing") as guardian, serve(ServerRequest("standing", "local"), guardian) as server:
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE theirs OWNER drills")
            connection.execute("CREATE ROLE their_app")
        yield Named(server)


def url(there: Named) -> str:
    return f"postgresql://drills:{quote(PASSWORD, safe='')}@{there.address}"


def verified(drilled: Watched) -> Drill:
    """Watches it to its end: verified, all of it, and nothing told by its programs' command lines. Its PDF would be made of
    its evidence, whatever the server."""
    drilled.watch()
    outcome = drilled.end()
    assert (outcome.exit_code, outcome.evidence.verdict) == (0, "VERIFIED"), outcome.output
    assert drilled.secrets
    nothing_told(outcome, *drilled.secrets, without=(PDF,))
    return outcome


def without_password(drilled: Watched) -> bool:
    return not any(secret in words for secret in drilled.secrets for words in drilled.said)


def names_the_password(drilled: Watched) -> bool:
    return any(word in words for word in (PASSWORD, quote(PASSWORD, safe="")) for words in drilled.said)


@pytest.mark.whole
@pytest.mark.usefixtures("docker")
def test_a_drill_in_a_container_is_verified_and_leaves_none(
    whole_set: Path, healthy_drill: Drill, tmp_path: Path
) -> None:
    with watched_drill(
        whole_set.parent,
        tmp_path,
        server="container",
        environment={"TESTCONTAINERS_RYUK_DISABLED": "true"},
    ) as drilled:
        outcome = verified(drilled)
        assert without_password(drilled)
        assert drilled.leaves_nothing_within(5), drilled.left
    server = outcome.evidence.record.server
    assert server is not None
    assert server.provider == "container: postgres:15"
    # The dump was read and loaded by programs of this machine.
    assert server.programs is not None
    assert (Path(server.programs.folder) / "pg_restore").exists()
    assert server.programs.version == server.client_version
    assert len(outcome.evidence.results) == len(healthy_drill.evidence.results)
    assert containers(outcome.evidence.run_id) == []


@pytest.mark.whole
def test_a_drill_on_a_server_named_in_the_environment_is_verified_and_takes_everything_away(
    whole_set: Path, there: Named, tmp_path: Path
) -> None:
    before = there.databases(), there.roles()
    environment = {"DRILL_SERVER": url(there)}
    with watched_drill(
        whole_set.parent, tmp_path, workers=2, environment=environment, server=None, arguments=ALLOWED
    ) as drilled:
        outcome = verified(drilled)
        nothing_told(outcome, PASSWORD, quote(PASSWORD, safe=""), without=(PDF,))
        assert without_password(drilled)
        assert not names_the_password(drilled)
        assert drilled.leaves_nothing_within(5), drilled.left
    assert (there.databases(), there.roles()) == before


@pytest.mark.further
@pytest.mark.parametrize(
    ("rights", "blocked", "takes"),
    [
        ("CREATEDB CREATEROLE BYPASSRLS IN ROLE pg_read_all_data, pg_read_all_settings", {"TEN-12"}, "a superuser"),
        ("CREATEDB CREATEROLE", {"BAK-14", "FID-08", "RST-15", "TEN-12"}, "pg_read_all_data"),
        ("CREATEDB", None, "CREATEROLE"),
    ],
)
def test_a_user_with_fewer_rights_is_told_which_it_takes(
    rights: str, blocked: set[str] | None, takes: str, whole_set: Path, there: Named, standing: Standing, tmp_path: Path
) -> None:
    with there.server.connect() as connection:
        connection.execute(f"CREATE ROLE less LOGIN PASSWORD 'less' {rights}")  # type: ignore[call-overload]
    before = there.databases(), there.roles()
    try:
        server = f"postgresql://less:less@/postgres?host={there.server.host}"
        outcome = standing.drill(whole_set.parent, tmp_path / "out", server=server, really=LOADED | MIGRATED)
    finally:
        after = there.databases(), there.roles()
        with there.server.connect() as connection:
            connection.execute("DROP ROLE less")
    assert (outcome.exit_code, outcome.evidence.verdict, outcome.red) == (2, "INCONCLUSIVE", {}), outcome.output
    messages = {each.control: each.message for each in outcome.evidence.results if each.outcome == "blocked"}
    if blocked is not None:
        assert messages.keys() == blocked
    else:
        assert messages["RST-01"].startswith("restore blocked: the server's user")
    assert takes in " ".join(messages.values()) + " ".join(each.fix for each in outcome.evidence.record.stages)
    assert "internal error" not in outcome.output
    assert after == before


@pytest.mark.further
def test_a_drill_killed_on_a_server_named_by_hand_takes_everything_away(
    whole_set: Path, there: Named, tmp_path: Path
) -> None:
    before = there.databases(), there.roles()
    with watched_drill(whole_set.parent, tmp_path, server=url(there), arguments=ALLOWED) as drilled:
        drilled.wait_for(MIGRATES)
        assert len(there.databases()) == len(before[0]) + 2
        drilled.processes()
        drilled.process.kill()
        drilled.end()
        # What a person typed is theirs to hide; what the drill starts repeats it nowhere.
        assert " ".join(drilled.argv) in drilled.said
        drilled.said.discard(" ".join(drilled.argv))
        assert not names_the_password(drilled)
        assert drilled.leaves_nothing_within(30), drilled.left
    assert (there.databases(), there.roles()) == before
