"""A finding's tenants are counted of the rows that it has, without another scan, and come out as a scan counts them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.checks import trying
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.probe import LookedUpTenant, PerTenant, Probe, ToldTenant
from fixtures.checks.rows_in_hand import RowsInHand
from fixtures.record.evidence import SAMPLES
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

# Rows of two tenants, so many that the server looks a key up; what may break a row is one column.
LEDGER = """
CREATE COLLATION small_first (provider = icu, locale = 'en-u-kf-lower');
CREATE DOMAIN cents AS numeric CHECK (VALUE > 0);
CREATE TYPE state AS ENUM ('new', 'old');
CREATE TABLE ledger (id int PRIMARY KEY, card_id int NOT NULL REFERENCES cards, broken bool NOT NULL DEFAULT false,
                     amount numeric(12, 2) NOT NULL, "currency of" text COLLATE small_first, code varchar(9), at timestamptz,
                     day date, outside uuid, left_over cents, weight float8, state state, filler text);
INSERT INTO ledger SELECT i, 1 + i % 3, false, i / 100.0,
       CASE i % 4 WHEN 0 THEN 'eur' WHEN 1 THEN 'EUR' WHEN 2 THEN 'It''s \\' END,
       'c' || i, CASE i % 5 WHEN 0 THEN 'infinity' ELSE timestamptz '2026-01-02 03:04:05.678901+02' END, date '0044-03-15 BC',
       md5(i::text)::uuid, i, i * 0.1, 'new', repeat('x', 200) FROM generate_series(1, 5000) i;
CREATE INDEX ON ledger (card_id);
ANALYZE;
"""
BREAK = "UPDATE ledger SET broken = true WHERE id % 300 = 7 AND id / 300 < {}"
TOLD = ("id", "currency of", "amount", "code", "at", "day", "outside", "ctid", "left_over", "card_id")
WRITTEN_OTHERWISE = ("weight", "state")


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as small:
        yield small


@pytest.fixture(scope="module")
def look(tenancy: SmallTenancy) -> Iterator[Look]:
    with tenancy.look(LEDGER + BREAK.format(9) + "; ANALYZE ledger", shared={"Words": "all of them read it"}) as looked:
        yield looked


def probe(look: Look, tenants: str, *told: str, where: str = "r.broken") -> Probe:
    name = look.table("ledger").name
    columns = sql.SQL(", ").join(sql.Identifier("r", each) for each in told)
    path = look.ownership.owned[name]
    per_tenant = {
        "of the table": PerTenant(name, ("id",), path, ("amount",), "currency of"),
        "of its place": PerTenant(name, ("ctid",), path, ("amount",)),
        "of several keys": PerTenant(name, ("id", "code"), path, ("amount",)),
        "told by itself": ToldTenant("card_id", ("amount", "left_over"), "currency of"),
        "looked up": LookedUpTenant(
            sql.SQL("SELECT id, card_id AS tenant, code AS currency FROM public.ledger"), ("id",), ("amount",)
        ),
    }[tenants]
    return Probe(
        broken=sql.SQL("SELECT {} FROM public.ledger r WHERE " + where).format(columns),  # type: ignore[operator]
        examined=sql.SQL("SELECT count(*) FROM public.ledger"),
        says="are broken",
        per_tenant=per_tenant,
    )


def found(look: Look, asked: Probe) -> Finding:
    with pytest.raises(Finding) as caught:
        replace(look.database, examination=Examination()).expect_none(asked)
    return caught.value


def told(finding: Finding) -> tuple[Any, ...]:
    return finding.message, finding.broken, finding.samples, finding.tenants


def by_scans(look: Look, asked: Probe, monkeypatch: pytest.MonkeyPatch) -> Finding:
    with monkeypatch.context() as without:
        without.setattr(trying, "rows_in_hand", lambda *_: None)
        return found(look, asked)


def scans(look: Look, asked: Probe) -> int:
    """How often the table is read whole for it."""
    before = _scans(look.database.session)
    found(look, asked)
    return _scans(look.database.session) - before


def _scans(session: psycopg.Connection[Any]) -> int:
    session.execute("SELECT pg_stat_force_next_flush()")
    row = session.execute("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'ledger'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("tenants", ["of the table", "of its place", "of several keys", "told by itself", "looked up"])
def test_tenants_are_counted_as_a_scan_counts_them(look: Look, tenants: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = probe(look, tenants, *TOLD)
    finding = found(look, asked)
    assert told(finding) == told(by_scans(look, asked, monkeypatch))
    assert len(finding.samples) == finding.broken == 9
    assert sum(each.broken or 0 for each in finding.tenants) == 9


@pytest.mark.parametrize("tenants", ["of the table", "of its place", "told by itself"])
def test_to_count_tenants_takes_no_scan(look: Look, tenants: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = probe(look, tenants, *TOLD)
    alone = scans(look, replace(asked, per_tenant=None))
    assert scans(look, asked) == alone
    with monkeypatch.context() as without:
        without.setattr(trying, "rows_in_hand", lambda *_: None)
        assert scans(look, asked) > alone


@pytest.mark.parametrize("kind", WRITTEN_OTHERWISE)
def test_values_that_cannot_be_given_back_as_they_are_take_a_scan(
    look: Look, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = probe(look, "of the table", *TOLD, kind)
    assert scans(look, asked) > scans(look, replace(asked, per_tenant=None))
    assert told(found(look, asked)) == told(by_scans(look, asked, monkeypatch))


def test_more_rows_than_a_finding_shows_are_all_counted(look: Look) -> None:
    finding = found(look, probe(look, "of the table", *TOLD, where="r.id <= 25"))
    assert (len(finding.samples), finding.broken) == (SAMPLES, 25)
    assert sum(each.broken or 0 for each in finding.tenants) == 25


def test_tenants_of_as_many_rows_are_in_the_order_of_their_own_collation(
    look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`eur` stands before `EUR` by the column's own order, and behind it by the server's."""
    asked = replace(probe(look, "of the table", *TOLD, where="r.id IN (4, 5)"), per_tenant=ToldTenant("currency of"))
    assert told(found(look, asked)) == told(by_scans(look, asked, monkeypatch))
    monkeypatch.setattr(RowsInHand, "collations_in", lambda *_: None)
    assert told(found(look, asked)) != told(by_scans(look, asked, monkeypatch))


def test_no_statement_of_a_finding_alters_what_the_control_is_known_by(look: Look) -> None:
    examination = Examination()
    with pytest.raises(Finding):
        replace(look.database, examination=examination).expect_none(probe(look, "of the table", *TOLD))
    assert not any("VALUES" in query for query in examination.queries)
