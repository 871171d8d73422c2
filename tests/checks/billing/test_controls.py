"""Each control of the books says nothing of the good row that stands beside it, and names the bad one alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.checks.billing import relations
from fixtures.checks.billing.relations import control_query
from tests.support.kept_server import kept_server

CONTROLS = Path(relations.__file__).parent / "controls"
NAMES = sorted(path.stem for path in CONTROLS.glob("*.sql") if "." not in path.stem)


@pytest.fixture(scope="module")
def session() -> Iterator[psycopg.Connection[Any]]:
    with kept_server() as server, server.connect("postgres") as connection:
        yield connection


def broken(session: psycopg.Connection[Any], control: str, which: str) -> list[tuple[Any, ...]]:
    rows = sql.SQL((CONTROLS / f"{control}.{which}.sql").read_text(encoding="utf-8"))
    return session.execute(sql.SQL("{} {}").format(rows, control_query(control))).fetchall()


@pytest.mark.parametrize("control", NAMES)
def test_a_control_of_the_books_tells_its_bad_row_from_its_good_one(
    session: psycopg.Connection[Any], control: str
) -> None:
    assert broken(session, control, "good") == []
    assert len(broken(session, control, "bad")) == 1
