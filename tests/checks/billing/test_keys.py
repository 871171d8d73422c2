"""Money whose documents and payments have keys of several columns: what names them names all of a key, and what is said of
them as well."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from psycopg.rows import dict_row

from fixtures.checks.billing.conserved import holdings, summed, sums
from fixtures.checks.billing.settlement import refunded_beyond
from fixtures.checks.billing.tax import wrong_tax
from fixtures.checks.probe import Probe
from fixtures.database.catalogue import take_structure
from fixtures.database.keyed import Unpaired, naming
from fixtures.database.money_columns import summed_columns
from fixtures.database.places import place_of
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import Invoice, Payment
from fixtures.record.names import TableName
from tests.checks.billing.probes import covered, credited, excess, numbers, settles, totals
from tests.support.small_shop import ACME, ZEN, Shop

# Each tenant counts from one. Credits and refunds call the tenant's column otherwise, and a constraint says what they name.
LEASES = """
CREATE TABLE "Leases" (tenant text REFERENCES "Tenants", no int, currency text, state text, vat numeric, total numeric,
                       PRIMARY KEY (tenant, no));
CREATE TABLE "Rents" (tenant text, no int, lease_no int, net numeric, PRIMARY KEY (tenant, no));
CREATE TABLE "Waived" (whose text, lease int, amount numeric, FOREIGN KEY (lease, whose) REFERENCES "Leases" (no, tenant));
CREATE TABLE "Paid" (tenant text REFERENCES "Tenants", no int, lease_no int, amount numeric, PRIMARY KEY (no, tenant));
CREATE TABLE "Back" (whose text, payment int, amount numeric, FOREIGN KEY (whose, payment) REFERENCES "Paid" (tenant, no));
INSERT INTO "Leases" VALUES ('acme', 1, 'EUR', 'paid', 0.19, 1.19), ('acme', 2, 'EUR', 'open', 0, 7),
                            ('zen', 1, 'JPY', 'paid', 0, 300), ('zen', 3, 'JPY', 'paid', 0, 50);
INSERT INTO "Rents" VALUES ('acme', 1, 1, 0.40), ('acme', 2, 1, 0.60), ('acme', 3, 2, 7),
                           ('zen', 1, 1, 300), ('zen', 2, 3, 50);
INSERT INTO "Waived" VALUES ('zen', 1, 100);
INSERT INTO "Paid" VALUES ('acme', 1, 1, 1.19), ('zen', 1, 1, 250), ('zen', 2, 3, 50);
INSERT INTO "Back" VALUES ('zen', 1, 50);
"""
LEASE = {
    "name": "leases",
    "table": "Shop.Leases",
    "tenant": "tenant",
    "currency": "currency",
    "status": "state",
    "paid": ("paid",),
    "tax": "vat",
    "tax_rule": {"of": "net", "rate": "vat", "rounding": "half up", "per_line": True},
    "total": "total",
    "lines": {"table": "Shop.Rents", "invoice": "lease_no", "amount": "net"},
    "credits": {"table": "Shop.Waived", "invoice": "lease", "amount": "amount"},
    "numbering": {"column": "total", "scope": ("tenant",)},
}
PAID = {
    "name": "paid",
    "settles": "leases",
    "table": "Shop.Paid",
    "invoice": "lease_no",
    "amount": "amount",
    "refunds": {"table": "Shop.Back", "payment": "payment", "amount": "amount"},
}


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return leased(opened())


def leased(shop: Shop, **other: object) -> Shop:
    shop.done(LEASES)
    said = {
        "invoice": (Invoice.model_validate(LEASE | other),),
        "payment": (Payment.model_validate(PAID),),
        "follows": (),
        "domain": (),
    }
    facts = take_structure(shop.session.cursor(row_factory=dict_row))
    return replace(shop, facts=facts, profile=shop.profile.model_copy(update=said))


def taxed(shop: Shop) -> Probe:
    invoice = shop.profile.invoice[0]
    assert invoice.tax_rule is not None
    return wrong_tax(invoice, invoice.tax_rule, shop.profile.currencies, shop.books)


def refunds(shop: Shop) -> Probe:
    return refunded_beyond(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


@pytest.mark.parametrize("probe", [totals, taxed, credited, numbers, covered, excess, settles, refunds])
def test_healthy_money_by_keys_of_several_columns_passes(shop: Shop, probe: Callable[[Shop], Probe]) -> None:
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    assert shop.told(probe(shop)) is None


# The same number means the row of another tenant in each.
WRONG: dict[str, tuple[Callable[[Shop], Probe], str, str, str]] = {
    "a line that moved to the other tenant's lease of its number": (
        totals,
        """UPDATE "Rents" SET tenant = 'zen', no = 9 WHERE tenant = 'acme' AND no = 2""",
        "rows=1",
        f"tenant={ACME} no=1 by_lines=0.60",
    ),
    "a taxed line that moved there": (
        taxed,
        """UPDATE "Rents" SET tenant = 'zen', no = 9 WHERE tenant = 'acme' AND no = 2""",
        f"tenant={ACME} currency=EUR rows=1 difference=0.11",
        f"tenant={ACME} no=1 difference=0.11",
    ),
    "a lease that was waived beyond its total": (
        credited,
        """UPDATE "Waived" SET amount = 300.01""",
        f"tenant={ZEN} currency=JPY rows=1",
        f"tenant={ZEN} no=1 beyond=0.01 difference=0.00",
    ),
    "a total that two leases of a tenant have": (
        numbers,
        """UPDATE "Leases" SET total = 300 WHERE no = 3""",
        f"tenant={ZEN} rows=1 missing=0",
        f"tenant={ZEN} no=3 again=True missing=0",
    ),
    "a payment that is lost": (
        covered,
        """DELETE FROM "Paid" WHERE tenant = 'acme'""",
        f"tenant={ACME} currency=EUR rows=1 difference=-1.19",
        f"tenant={ACME} no=1 difference=-1.19",
    ),
    "a payment that another tenant's lease of its number has": (
        excess,
        """UPDATE "Paid" SET lease_no = 1 WHERE lease_no = 3; UPDATE "Leases" SET state = 'open' WHERE no = 3""",
        f"tenant={ZEN} currency=JPY rows=1 difference=50",
        f"tenant={ZEN} no=1 difference=50",
    ),
    "a payment for a lease that only another tenant has": (
        settles,
        """UPDATE "Paid" SET lease_no = 2 WHERE lease_no = 3; UPDATE "Leases" SET state = 'open' WHERE no = 3""",
        f"tenant={ZEN} rows=1",
        f"no=2 tenant={ZEN}",
    ),
    "more given back than was received": (
        refunds,
        """UPDATE "Back" SET amount = 250.01""",
        f"tenant={ZEN} rows=1 difference=0.01",
        f"no=1 tenant={ZEN} difference=0.01",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_by_all_of_its_key(shop: Shop, what: str) -> None:
    probe, fault, message, sample = WRONG[what]
    shop.done(fault)
    told = shop.told(probe(shop))
    assert told is not None
    assert message in told.message
    assert sample in told.samples
    assert len(told.samples) == (2 if probe is totals else 1)


def test_lines_are_summed_in_the_currency_of_their_own_document(shop: Shop) -> None:
    columns = summed_columns(shop.profile, shop.facts)
    rents, paid = TableName("Shop", "Rents"), TableName("Shop", "Back")
    for name, expected in ((rents, {"EUR": 8, "JPY": 350}), (paid, {"": 50})):
        table = shop.facts.table(name)
        assert table is not None
        held = holdings(table, table, columns[name], (None, None), ())
        assert {
            key[2]: int(each) for key, each in summed(held, shop.database().rows(sums(held, after=False))).items()
        } == expected


def test_a_way_goes_along_a_foreign_key_of_several_columns(shop: Shop) -> None:
    place = place_of("lease.currency", TableName("Shop", "Waived"), shop.facts)
    assert (place.through, place.key, place.beside) == ("lease", "no", (("whose", "tenant"),))


def test_a_key_that_is_named_in_part_is_a_fault_of_the_profile(opened: Callable[[], Shop]) -> None:
    shop = leased(
        opened(), lines={"table": "Shop.Waived", "invoice": "whose", "amount": "amount"}, tax=None, tax_rule=None
    )
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    shop.done("""ALTER TABLE "Waived" DROP CONSTRAINT "Waived_lease_whose_fkey" """)
    shop = replace(shop, facts=take_structure(shop.session.cursor(row_factory=dict_row)))
    lines, credits = reconcile(shop.profile, shop.facts, "profile.toml").problems
    assert lines.startswith(
        "profile.toml: invoice 'leases'.lines.invoice: the key of Shop.Leases is (tenant, no), and "
    )
    assert credits.startswith(
        "profile.toml: invoice 'leases'.credits.invoice: the key of Shop.Leases is (tenant, no), and "
    )
    with pytest.raises(Unpaired):
        naming(TableName("Shop", "Waived"), "lease", TableName("Shop", "Leases"), shop.facts, shop.profile.tenancy.root)
