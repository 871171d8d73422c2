"""BIL: every billing row adds up, to the last digit."""

from fixtures.billing import (
    broken_account_balance,
    broken_running_balance,
    inexact_money,
    overlapping,
    uncovered,
    without_invoice,
    wrong_totals,
)
from fixtures.control import Examination, control, for_each
from fixtures.databases import Database
from fixtures.drill.profile import Profile
from fixtures.drill.profile.money import Invoice, Ledger, Payment, Period


@control(
    "BIL-01",
    title="The ledger's running balance holds at every entry",
    impact="critical",
    remediation="Find the entry that was changed, lost or written out of turn; correct it with a new entry, not an update.",
)
@for_each("ledger")
def test_the_running_balance_holds(migrated: Database, ledger: Ledger) -> None:
    """Each balance is the one before plus the entry's amount: a lost or altered entry shows at once, and where."""
    migrated.expect_none(broken_running_balance(ledger, migrated.facts))


@control(
    "BIL-02",
    title="An account's balance is the sum of its ledger",
    impact="critical",
    remediation="Trust the ledger, not the balance: recompute the account, then find the writer that skipped the ledger.",
)
@for_each("ledger_balance")
def test_the_balance_is_the_sum_of_the_ledger(migrated: Database, ledger: Ledger) -> None:
    """What a customer is shown, and spends from, must be what the books say."""
    assert ledger.balance_of is not None
    migrated.expect_none(broken_account_balance(ledger, ledger.balance_of))


@control(
    "BIL-03",
    title="An invoice's total is its lines plus tax",
    impact="critical",
    remediation="Compare the listed invoices with the documents sent to customers; the books follow the documents.",
)
@for_each("invoice")
def test_the_total_is_lines_plus_tax(migrated: Database, invoice: Invoice) -> None:
    """A line that is missing, doubled or altered makes an invoice that no customer owes."""
    migrated.expect_none(wrong_totals(invoice, migrated.facts))


@control(
    "BIL-04",
    title="A paid invoice is covered by its payments",
    impact="critical",
    remediation="Compare the listed invoices with the payment processor's own list before anyone is dunned or refunded.",
)
@for_each("payment")
def test_a_paid_invoice_is_covered(migrated: Database, payment: Payment, profile: Profile) -> None:
    """Paid means: succeeded payments of the same tenant and currency, less what was refunded, make up the total."""
    migrated.expect_none(uncovered(payment, profile.invoice_named(payment.settles), migrated.facts))


@control(
    "BIL-05",
    title="Every payment settles an invoice of its own tenant and currency",
    impact="critical",
    remediation="Find the invoice that the payment was for; money that settles nothing is a debt to somebody.",
)
@for_each("payment")
def test_the_payment_settles_an_invoice(migrated: Database, payment: Payment, profile: Profile) -> None:
    """A payment without its invoice is a customer's money that nobody accounts for."""
    migrated.expect_none(without_invoice(payment, profile.invoice_named(payment.settles), migrated.facts))


@control(
    "BIL-06",
    title="Periods of one owner do not overlap",
    impact="high",
    remediation="End the earlier period where the later begins, and look for what was charged twice.",
)
@for_each("period")
def test_periods_do_not_overlap(migrated: Database, period: Period) -> None:
    """Two periods at once charge a customer twice for the same days."""
    migrated.expect_none(overlapping(period, migrated.facts))


@control(
    "BIL-07",
    title="Money is held in exact types",
    impact="high",
    remediation="Change the column to numeric; a float loses cents without an error.",
)
def test_money_is_held_in_exact_types(migrated: Database, profile: Profile, examination: Examination) -> None:
    """real and double precision round: sums over them depend on the order of rows, and a restore changes that order."""
    columns, inexact = inexact_money(profile, migrated.facts)
    examination.expect_none(inexact, "can round", of=columns, unit="money columns")
