"""What a wallet, a gift card or a voucher holds is the sum of its entries, at any time, and never less than nothing."""

from dataclasses import replace
from random import Random

import pytest
from psycopg.rows import dict_row

from fixtures.checks.billing.ledger import below_zero, broken_account_balance, broken_running_balance, wrong_signs
from fixtures.checks.billing.planters.entries import an_account_with_more_than_its_ledger
from fixtures.checks.billing.usage import not_charged_alike
from fixtures.checks.masking import masked_text
from fixtures.checks.planting import Planting
from fixtures.database.catalogue import take_structure
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import EntryKinds, Ledger
from tests.support.small_shop import ACME, ZEN, Shop, Told


def test_an_account_that_falls_below_zero_is_told_even_where_it_recovers(shop: Shop) -> None:
    points = shop.profile.ledger[0]
    assert shop.told(below_zero(points, shop.books)) is None
    shop.done("""
        UPDATE "Entries" SET amount = -150.5 WHERE "tenantCode" = 'acme' AND no = 2;
        INSERT INTO "Entries" VALUES ('acme', 5, '2026-01-04', 'buy', 200, 0, false);
    """)
    told = shop.told(below_zero(points, shop.books))
    assert told == Told(
        f"2 of 6 ledger entries leave less than nothing on their account; tenant={ACME} rows=2",
        (f"tenantCode={ACME} no=2 difference=-0.5", f"tenantCode={ACME} no=4 difference=-5.5"),
    )


def test_what_is_spent_at_the_very_moment_of_its_purchase_is_no_debt(shop: Shop) -> None:
    points = shop.profile.ledger[0].model_copy(update={"order": ("at",)})
    shop.done("""UPDATE "Entries" SET at = '2026-01-01', no = no - 9 WHERE "tenantCode" = 'zen' AND kind = 'spend'""")
    assert shop.told(below_zero(points, shop.books)) is None


def test_an_account_has_a_balance_in_each_currency(shop: Shop) -> None:
    cards = Ledger.model_validate(
        {
            "name": "cards",
            "table": "Shop.Orders",
            "account": "tenantCode",
            "currency": "currency",
            "order": ("id",),
            "amount": "total",
            "not_negative": True,
        }
    )
    shop.done("""INSERT INTO "Orders" VALUES (3, 'acme', 'JPY', 'open', -1, 0)""")
    told = shop.told(below_zero(cards, shop.books))
    assert told is not None
    assert told.samples == ("id=3 difference=-1",)


POTS = """
CREATE TABLE "Pots" ("tenantCode" text REFERENCES "Tenants", pot text, start numeric, points numeric,
                     PRIMARY KEY ("tenantCode", pot));
CREATE TABLE "Moves" ("tenantCode" text, no int, pot text, amount numeric, balance numeric,
                      PRIMARY KEY ("tenantCode", no), FOREIGN KEY ("tenantCode", pot) REFERENCES "Pots");
INSERT INTO "Pots" VALUES ('acme', 'EUR', 10, 4), ('acme', 'gifts', 0, 7), ('zen', 'EUR', 0, 5);
INSERT INTO "Moves" VALUES ('acme', 1, 'EUR', -6, 4), ('acme', 2, 'gifts', 7, 7), ('zen', 1, 'EUR', 5, 5);
"""
BY_POT = ("tenantCode", "pot")


def test_the_accounts_of_one_owner_are_parted_by_their_kind(shop: Shop) -> None:
    shop.done(POTS)
    pots = Ledger.model_validate(
        {
            "name": "pots",
            "table": "Shop.Moves",
            "account": BY_POT,
            "order": ("no",),
            "amount": "amount",
            "balance": "balance",
            "currency": "pot",
            "opening": {"table": "Shop.Pots", "key": BY_POT, "column": "start"},
            "balance_of": {"table": "Shop.Pots", "key": BY_POT, "column": "points"},
        }
    )
    facts = take_structure(shop.session.cursor(row_factory=dict_row))
    shop = replace(shop, facts=facts, profile=shop.profile.model_copy(update={"ledger": (pots,), "usage": ()}))
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    balance_of = pots.balance_of
    assert balance_of is not None
    probes = (
        lambda: broken_running_balance(pots, "balance", shop.books),
        lambda: broken_account_balance(pots, balance_of, shop.books),
        lambda: below_zero(pots, shop.books),
    )
    assert [shop.told(probe()) for probe in probes] == [None] * 3
    planted = an_account_with_more_than_its_ledger(
        Planting(shop.database(), shop.books.ownership, shop.profile, pots, Random(1))
    )
    told = shop.told(probes[1]())
    assert told is not None
    assert told.samples == (f"{planted.keys[0]} difference=1",)
    # What moves to the other pot of its tenant leaves the tenant's sum as it was.
    shop.done("""UPDATE "Pots" SET points = CASE pot WHEN 'EUR' THEN 4 ELSE 7 END WHERE "tenantCode" = 'acme';
                 UPDATE "Pots" SET points = 5 WHERE "tenantCode" = 'zen'; UPDATE "Moves" SET pot = 'gifts' WHERE no = 1
                 AND "tenantCode" = 'acme'""")
    found = [shop.told(probe()) for probe in probes]
    key = f"tenantCode={ACME}"
    assert [each.samples if each else () for each in found] == [
        (f"{key} no=1 difference=10", f"{key} no=2 difference=-4"),
        tuple(f"{key} pot={masked_text(pot, b'key')} difference={more}" for pot, more in (("EUR", -6), ("gifts", 6))),
        (f"{key} no=1 difference=-6",),
    ]
    with pytest.raises(
        ValueError, match=r"balance_of\.key has as many columns as account, in the same order: tenantCode, pot"
    ):
        Ledger.model_validate(
            pots.model_dump() | {"opening": None, "balance_of": balance_of.model_dump() | {"key": "pot"}}
        )
    with pytest.raises(ValueError, match="or name the currency in account too"):
        Ledger.model_validate(pots.model_dump() | {"currency": "no"})


def test_amounts_without_a_sign_count_by_their_kind(shop: Shop) -> None:
    written = shop.profile.ledger[0]
    kinds = EntryKinds(column="kind", credits=("buy", "correct"), debits=("spend", "expire"), unsigned=True)
    points = written.model_copy(update={"kinds": kinds})
    shop.done("""UPDATE "Entries" SET amount = abs(amount)""")
    assert points.balance_of is not None
    probes = (
        lambda: below_zero(points, shop.books),
        lambda: broken_account_balance(points, written.balance_of, shop.books),
        lambda: wrong_signs(points, kinds, shop.books),
        lambda: not_charged_alike(shop.profile.usage[0], points, shop.books),
        lambda: not_charged_alike(shop.profile.usage[0].model_copy(update={"kinds": ()}), points, shop.books),
    )
    # What takes is what is spent, and what expires where no kinds of usage are named.
    assert [shop.told(probe()) is None for probe in probes] == [True, True, True, True, False]
    shop.done("""UPDATE "Entries" SET amount = -4 WHERE "tenantCode" = 'zen' AND kind = 'spend'""")
    told = shop.told(probes[2]())
    assert told is not None
    assert told.samples == (f"tenantCode={ZEN} no=2 wrong_amount=4 unknown_kind=False",)


def test_a_kind_of_either_sign_tells_none_of_an_unsigned_amount() -> None:
    with pytest.raises(ValueError, match="unsigned amounts get their sign by their kind"):
        EntryKinds(column="kind", credits=("buy",), either=("correct",), unsigned=True)
