"""What is asked of the shop's money, each as its control asks it."""

from collections.abc import Callable
from datetime import UTC, datetime

from fixtures.checks.billing.currencies import InCurrency, finer_than_its_currency
from fixtures.checks.billing.document import used_twice, wrong_totals, wrongly_credited
from fixtures.checks.billing.domain import (
    MoneyTable,
    before_its_time,
    negative_amounts,
    no_number,
    out_of_order,
    outside_its_list,
)
from fixtures.checks.billing.ledger import broken_account_balance, broken_running_balance, wrong_signs
from fixtures.checks.billing.period import not_running, overlapping_periods, with_a_hole_before
from fixtures.checks.billing.settlement import (
    Processed,
    overpaid_invoices,
    paid_though_unpaid,
    processed_twice,
    refunded_beyond,
    uncovered_invoices,
    without_invoice,
)
from fixtures.checks.billing.tax import wrong_tax
from fixtures.checks.billing.usage import not_charged_alike
from fixtures.checks.probe import Probe
from fixtures.database.money_columns import summed_columns
from fixtures.record.names import TableName
from tests.support.small_shop import Shop

BILLS = TableName("Shop", "Bills")
NOW = datetime(2026, 1, 10, tzinfo=UTC)


def running(shop: Shop, which: int = 0) -> Probe:
    ledger = shop.profile.ledger[which]
    assert ledger.balance is not None
    return broken_running_balance(ledger, ledger.balance, shop.books)


def account(shop: Shop, which: int = 0) -> Probe:
    ledger = shop.profile.ledger[which]
    assert ledger.balance_of is not None
    return broken_account_balance(ledger, ledger.balance_of, shop.books)


def signs(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[0]
    assert ledger.kinds is not None
    return wrong_signs(ledger, ledger.kinds, shop.books)


def used(shop: Shop) -> Probe:
    return not_charged_alike(shop.profile.usage[0], shop.profile.ledger[0], shop.books)


def totals(shop: Shop, which: int = 0) -> Probe:
    return wrong_totals(shop.profile.invoice[which], shop.books)


def tax(shop: Shop) -> Probe:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    return wrong_tax(invoice, invoice.tax_rule, currencies, shop.books)


def numbers(shop: Shop) -> Probe:
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    return used_twice(invoice, invoice.numbering, shop.books)


def credited(shop: Shop) -> Probe:
    return wrongly_credited(shop.profile.invoice[0], shop.books)


def covered(shop: Shop, which: int = 0) -> Probe:
    return uncovered_invoices(shop.profile.payment[which], shop.profile.invoice[which], shop.books)


def unpaid(shop: Shop) -> Probe:
    return paid_though_unpaid(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def excess(shop: Shop) -> Probe:
    return overpaid_invoices(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def settles(shop: Shop) -> Probe:
    return without_invoice(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def processed(shop: Shop) -> Probe:
    return processed_twice(Processed(shop.profile.payment[0]), shop.books)


def refunds(shop: Shop, which: int = 0) -> Probe:
    payment = shop.profile.payment[which]
    return refunded_beyond(payment, shop.profile.invoice_named(payment.settles), shop.books)


def overlaps(shop: Shop) -> Probe:
    return overlapping_periods(shop.profile.period[0], shop.books)


def holes(shop: Shop) -> Probe:
    return with_a_hole_before(shop.profile.period[0], shop.books)


def runs(shop: Shop) -> Probe:
    period = shop.profile.period[0]
    assert period.active is not None
    return not_running(period, period.active, NOW, shop.books)


def lists(shop: Shop) -> Probe:
    return outside_its_list(shop.profile.domain[0], shop.books)


def nought(shop: Shop) -> Probe:
    return negative_amounts(shop.profile.domain[0], shop.books)


def later(shop: Shop) -> Probe:
    return before_its_time(shop.profile.follows[0], shop.books)


def order(shop: Shop) -> Probe:
    return out_of_order(shop.profile.domain[0], shop.books)


def number(shop: Shop) -> Probe:
    columns = summed_columns(shop.profile, shop.facts)[BILLS]
    return no_number(MoneyTable(BILLS, tuple(money.column for money in columns)), shop.books)


def finer(table: str) -> Callable[[Shop], Probe]:
    def probe(shop: Shop) -> Probe:
        name, currencies = TableName("Shop", table), shop.profile.currencies
        assert currencies is not None
        columns = summed_columns(shop.profile, shop.facts)[name]
        places = {money.column: money.currency for money in columns if money.currency is not None}
        return finer_than_its_currency(InCurrency(name, places, currencies), shop.books)

    return probe


SOUND = [running, account, signs, used, totals, tax, numbers, credited, covered, unpaid, excess, settles, processed]
SOUND += [
    refunds,
    overlaps,
    holes,
    runs,
    lists,
    nought,
    order,
    later,
    number,
    finer("Lines"),
    finer("Charges"),
    finer("Notes"),
]
