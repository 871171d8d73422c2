"""What is lost with the old database is counted by key, and numbers that will be given out again are counted too."""

from dataclasses import asdict
from typing import Any

import psycopg

from fixtures.profile import Profile
from fixtures.profile.money import Invoice
from fixtures.profile.money.document import Numbering
from fixtures.profile.words import SqlFile
from fixtures.record.names import TableName
from fixtures.recovery.whole.losses import lines, losses
from fixtures.recovery.whole.shown import lines_of, twice
from fixtures.server import Server
from tests.support.recovered_shop import PROFILE


def numbered(scope: tuple[str, ...]) -> Profile:
    """Bills whose key is their number."""
    invoice = Invoice.model_construct(
        name="bills", table=TableName("public", "bills"), numbering=Numbering(column="id", scope=scope)
    )
    return PROFILE.model_copy(update={"invoice": (invoice,)})


def test_rows_that_are_lost_come_back_or_changed_are_counted_by_table(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute("INSERT INTO bills (id, site, currency, total) VALUES (901, 1, 'EUR', 1), (902, 1, 'EUR', 2)")
    production.execute("DELETE FROM visits WHERE site = 2")
    production.execute("UPDATE bills SET total = total + 1 WHERE id = 1")
    with server.connect("restored") as restored:
        lost = losses(production, restored, numbered(()))
    by_table = {each.table: each for each in lost.tables}
    assert by_table.keys() == {"public.bills", "public.visits"}
    assert asdict(by_table["public.bills"]) == {
        **{"table": "public.bills", "lost": 2, "back": 0, "changed": 1},
        "by_key": True,
    }
    assert (by_table["public.visits"].back, by_table["public.visits"].by_key) == (5, False)
    assert (lost.unread, lost.numbers) == ((), (("public.bills.id", 2),))
    assert any("2 numbers given out after the set was taken" in line for line in lines(lost))


def test_another_schema_and_numbers_within_what_others_say_are_no_silence(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute("ALTER TABLE bills ADD note text; CREATE TABLE later (id int)")
    production.execute("INSERT INTO bills (id, site, currency, total) VALUES (901, 1, 'EUR', 1)")
    with server.connect("restored") as restored:
        lost = losses(production, restored, numbered(("site.tenant",)))
    assert [(each.table, each.lost, each.changed) for each in lost.tables] == [("public.bills", 1, 0)]
    assert lost.unread == (
        "public.later is in the old database alone",
        "public.bills has other columns in each: what changed in a row that both have is not told",
        "numbers of bills, which count within site.tenant",
    )
    assert lost.numbers == ()


def test_what_would_happen_twice_is_counted_or_told_as_not_known(server: Server) -> None:
    queries = {
        "visits that are due": SqlFile(file="due.sql", text="SELECT * FROM public.visits WHERE site = 2"),
        "mails": SqlFile(file="mails.sql", text="SELECT * FROM public.outbox"),
        "calls": SqlFile(file="calls.sql", text="SELECT * FROM public.visits"),
    }
    with server.connect("restored") as restored:
        due = twice(restored, queries)
    assert due["visits that are due"] == 5
    assert due["mails"] == 'not known, since its query fails: relation "public.outbox" does not exist'
    assert isinstance(due["calls"], int)
    assert [
        line for line in lines_of("nothing", due, ()) if "visits that are due: 5" in line or "mails: not known" in line
    ]
