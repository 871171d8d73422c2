"""What the server keeps of the drill's own passwords lets those in, and nobody else, after one round of hashing."""

import psycopg
import pytest

from fixtures.server.contract import SUPERUSER
from fixtures.server.logins import Login
from fixtures.server.scram import verifier
from tests.support.kept_server import kept_server

ROUNDS = "SELECT split_part(split_part(rolpassword, '$', 2), ':', 1) FROM pg_authid WHERE rolname = %s"


def test_each_login_of_the_drills_own_takes_one_round_and_the_applications_as_many_as_its_driver_may_want() -> None:
    with kept_server() as server:
        ours = [server.logins.of(server, purpose) for purpose in ("reader", "planter")]
        application = server.logins.of(server, "application")
        with server.administer() as session:
            rounds = {
                login.user: session.execute(ROUNDS, [login.user]).fetchone()
                for login in (Login(SUPERUSER, ""), *ours, application)
            }
    assert rounds == {SUPERUSER: ("1",), **{login.user: ("1",) for login in ours}, application.user: ("4096",)}


def test_another_password_is_turned_away() -> None:
    with kept_server() as server:
        reader = server.logins.of(server, "reader")
        server.connect(user=reader.user, password=reader.password).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            server.connect(user=reader.user, password=reader.password[:-1])


def test_a_password_that_a_person_may_have_typed_gets_no_verifier() -> None:
    with pytest.raises(ValueError, match="only a random password of ASCII characters"):
        verifier("pässword")
