"""A refused connection is told with the server's own reason, and with no name but those that were asked for."""

import psycopg
import pytest

from fixtures.server.server_said import why_refused
from tests.support.kept_server import kept_server


def test_the_servers_reason_is_told() -> None:
    with kept_server() as server:
        server.create_database("restored")
        with server.connect() as connection:
            connection.execute("CREATE ROLE shut_out NOLOGIN PASSWORD 'x'")
        with pytest.raises(psycopg.OperationalError) as refused:
            psycopg.connect(host=server.host, port=server.port, dbname="restored", user="shut_out", password="x")
        assert why_refused(refused.value, "shut_out") == 'role "shut_out" is not permitted to log in'
        assert why_refused(refused.value) == 'role "…" is not permitted to log in'


def test_a_server_that_does_not_answer_is_told_by_the_errors_class() -> None:
    with pytest.raises(psycopg.OperationalError) as unreached:
        psycopg.connect(host="/nowhere", dbname="restored")
    assert why_refused(unreached.value) == "OperationalError"
