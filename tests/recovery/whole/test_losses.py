"""What is lost with the old database is counted by key, and numbers that will be given out again are counted too."""

from dataclasses import asdict
from typing import Any

import psycopg
import pytest

from fixtures.profile import Profile
from fixtures.profile.money import Invoice
from fixtures.profile.money.document import Numbering
from fixtures.profile.money.settlement import Payment
from fixtures.profile.words import SqlFile
from fixtures.recovery.whole.losses import lines, losses
from fixtures.recovery.whole.numbers import GivenOut
from fixtures.recovery.whole.shown import lines_of, twice
from fixtures.server import Server
from tests.support.recovered_shop import PROFILE


def numbered(scope: tuple[str, ...] = (), **rows: object) -> Profile:
    """Bills whose key is their number, of a table, or of other `rows`."""
    of_bill: dict[str, object] = {"name": "bills", "paid": ["EUR"], "subtotal": "total"} | (rows or {"table": "bills"})
    if "table" in of_bill:
        of_bill |= {"tenant": "site", "currency": "currency", "status": "currency", "total": "total"}
    invoice = Invoice.model_validate({**of_bill, "numbering": Numbering(column="id", scope=scope)})
    return PROFILE.model_copy(update={"invoice": (invoice,)})


def test_rows_that_are_lost_come_back_or_changed_are_counted_by_table(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute("INSERT INTO bills (id, site, currency, total) VALUES (901, 1, 'EUR', 1), (902, 1, 'EUR', 2)")
    production.execute("DELETE FROM visits WHERE site = 2")
    production.execute("UPDATE bills SET total = total + 1 WHERE id = 1")
    with server.connect("restored") as restored:
        lost = losses(production, restored, numbered())
    by_table = {each.table: each for each in lost.tables}
    assert by_table.keys() == {"public.bills", "public.visits"}
    assert asdict(by_table["public.bills"]) == {
        **{"table": "public.bills", "lost": 2, "back": 0, "changed": 1},
        "by_key": True,
    }
    assert (by_table["public.visits"].back, by_table["public.visits"].by_key) == (5, False)
    assert (lost.unread, lost.numbers) == ((), (GivenOut("document", "public.bills.id", 2, 901, 902),))
    assert any("2 numbers (901 to 902) given out after the set was taken" in line for line in lines(lost))


def test_numbers_of_payments_are_told_by_count_and_by_what_their_sequence_drew(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    """A bill is what a processor knows here, by its currency and its key; a site is a refund, whose key is drawn."""
    production.execute("INSERT INTO bills (id, site, currency, total) VALUES (901, 1, 'EUR', 1), (902, 1, NULL, 2)")
    production.execute("SELECT nextval('sites_id_seq') FROM generate_series(1, 3)")
    payment = Payment.model_validate(
        {
            **{"name": "charges", "settles": "bills", "table": "bills", "invoice": "site", "amount": "total"},
            "processor_id": ["id", "currency"],
            "refunds": {"table": "sites", "payment": "partner", "amount": "tenant"},
        }
    )
    with server.connect("restored") as restored:
        lost = losses(production, restored, PROFILE.model_copy(update={"payment": (payment,)}))
    assert lost.numbers == (
        GivenOut("processor", "public.bills.id and currency", 1),
        GivenOut("sequence", "public.sites.id", 3, 1, 3),
    )
    told = "\n".join(lines(lost))
    assert "public.bills.id and currency: 1 number that the processor knows and the recovered database lacks" in told
    assert "public.sites.id: 3 numbers (1 to 3) drawn from its sequence after the set was taken" in told
    assert "EUR" not in told


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"table": "gone"}, "numbers of bills, whose table public.gone is not in both databases"),
        ({"query": SqlFile(file="b.sql", text="")}, "numbers of bills, which the query b.sql returns"),
        ({"table": "visits"}, "numbers of bills cannot be read: UndefinedColumn"),
    ],
    ids=["table", "query", "column"],
)
def test_numbers_that_nobody_can_read_are_no_silence(
    server: Server, production: psycopg.Connection[Any], rows: dict[str, object], said: str
) -> None:
    with server.connect("restored") as restored:
        lost = losses(production, restored, numbered((), **rows))
    assert (lost.unread, lost.numbers) == ((said,), ())


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
