"""BIL: every billing row adds up, to the last digit."""

from fixtures.checks.billing.books import Books
from fixtures.checks.billing.document import used_twice, wrong_totals, wrongly_credited
from fixtures.checks.billing.ledger import broken_account_balance, broken_running_balance, wrong_signs
from fixtures.checks.billing.passes import MoneyPasses
from fixtures.checks.billing.period import ActivePeriod, idle_periods, overlapping_periods, with_a_hole_before
from fixtures.checks.billing.planters.documents import (
    a_number_that_another_has,
    a_paid_document_that_costs_more,
    a_paid_document_that_costs_nothing,
    a_total_that_is_not_its_lines,
    a_void_document_with_money,
    more_credited_than_the_document,
    tax_of_another_rate,
)
from fixtures.checks.billing.planters.entries import (
    a_balance_that_does_not_follow,
    an_account_with_more_than_its_ledger,
    an_entry_of_the_wrong_sign,
    usage_that_was_not_charged,
)
from fixtures.checks.billing.planters.payments import (
    a_payment_of_no_document,
    a_payment_smaller_than_its_refunds,
    a_processors_id_used_again,
)
from fixtures.checks.billing.planters.periods import (
    a_period_after_a_hole,
    a_period_that_begins_too_early,
    a_period_that_no_longer_runs,
)
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
from fixtures.checks.databases import Database
from fixtures.plugin.declare import control, for_each, proven_by
from fixtures.profile import Profile
from fixtures.profile.money import Invoice, Ledger, Payment, Period, Usage


@control(
    "BIL-01",
    title="The ledger's running balance holds at every entry",
    impact="critical",
    remediation="Find the entry that was changed, lost or written out of order. Correct it with a new entry, not an update.",
)
@proven_by(a_balance_that_does_not_follow)
@for_each("ledger")
def test_the_running_balance_holds(migrated: Database, ledger: Ledger, books: Books, passes: MoneyPasses) -> None:
    """Each balance is the one before plus the entry's amount: a lost or altered entry shows at once, and where."""
    assert ledger.balance is not None
    migrated.expect_none(passes.share(broken_running_balance(ledger, ledger.balance, books)))


@control(
    "BIL-02",
    title="An account's balance is the sum of its ledger",
    impact="critical",
    remediation=(
        "Trust the ledger, not the balance. Recompute the account's balance, then find the code that skipped "
        "the ledger."
    ),
)
@proven_by(an_account_with_more_than_its_ledger)
@for_each("ledger_balance")
def test_the_balance_is_the_sum_of_the_ledger(
    migrated: Database, ledger: Ledger, books: Books, passes: MoneyPasses
) -> None:
    """What a customer is shown, and spends from, must be what the books say."""
    assert ledger.balance_of is not None
    migrated.expect_none(passes.share(broken_account_balance(ledger, ledger.balance_of, books)))


@control(
    "BIL-03",
    title="An invoice's total is its lines plus tax, less discount",
    impact="critical",
    remediation=(
        "Compare the listed invoices with the documents sent to customers. Correct the database to agree "
        "with the documents."
    ),
)
@proven_by(a_total_that_is_not_its_lines)
@for_each("invoice")
def test_the_total_is_lines_plus_tax(migrated: Database, invoice: Invoice, books: Books, passes: MoneyPasses) -> None:
    """A line that is missing, doubled or altered makes an invoice that no customer owes. Where the total stands a second
    time, the two must agree."""
    migrated.expect_none(passes.share(wrong_totals(invoice, books)))


@control(
    "BIL-04",
    title="A paid invoice is covered by its payments",
    impact="critical",
    remediation="Compare the listed invoices with the payment processor's own list before you send a reminder or a refund.",
)
@proven_by(a_paid_document_that_costs_more)
@for_each("payment")
def test_a_paid_invoice_is_covered(
    migrated: Database, payment: Payment, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """Paid means: succeeded payments of the same tenant and currency, less what was refunded, come up to the total."""
    migrated.expect_none(passes.share(uncovered_invoices(payment, profile.invoice_named(payment.settles), books)))


@control(
    "BIL-05",
    title="Every payment settles an invoice of its own tenant and currency",
    impact="critical",
    remediation="Find the invoice that the payment was for. Money that settles no invoice is owed to somebody.",
)
@proven_by(a_payment_of_no_document)
@for_each("payment")
def test_the_payment_settles_an_invoice(
    migrated: Database, payment: Payment, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """A payment without its invoice is a customer's money that nobody accounts for."""
    migrated.expect_none(passes.share(without_invoice(payment, profile.invoice_named(payment.settles), books)))


@control(
    "BIL-06",
    title="Periods of one owner do not overlap",
    impact="high",
    remediation="End the earlier period where the later one begins. Look for what was charged twice.",
)
@proven_by(a_period_that_begins_too_early)
@for_each("period")
def test_periods_do_not_overlap(migrated: Database, period: Period, books: Books, passes: MoneyPasses) -> None:
    """Two periods at once charge a customer twice for the same days."""
    migrated.expect_none(passes.share(overlapping_periods(period, books)))


@control(
    "BIL-08",
    title="Every ledger entry has the sign of its kind",
    impact="critical",
    remediation="Correct the entry with a new one. Declare an unknown kind in [ledger.kinds] if it is intended.",
)
@proven_by(an_entry_of_the_wrong_sign)
@for_each("ledger_kinds")
def test_an_entry_gives_or_takes_as_its_kind_says(
    migrated: Database, ledger: Ledger, books: Books, passes: MoneyPasses
) -> None:
    """A charge that adds to a balance, or a grant that takes from it, adds up all the same and is wrong all the same."""
    assert ledger.kinds is not None
    migrated.expect_none(passes.share(wrong_signs(ledger, ledger.kinds, books)))


@control(
    "BIL-10",
    title="Tax is the declared rate of what is taxed, rounded as declared",
    impact="critical",
    remediation="Compare the listed documents with those sent to customers, and with the tax returns.",
)
@proven_by(tax_of_another_rate)
@for_each("taxed_invoice")
def test_tax_is_its_rate(
    migrated: Database, invoice: Invoice, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """A cent of tax too much was taken from a customer, one too little is owed to the state."""
    assert invoice.tax_rule is not None
    assert profile.currencies is not None
    migrated.expect_none(passes.share(wrong_tax(invoice, invoice.tax_rule, profile.currencies, books)))


@control(
    "BIL-11",
    title="No document number is used twice, and none is missing where that is promised",
    impact="high",
    remediation="Find the lost or duplicate document among those sent to customers. Never assign a number again.",
)
@proven_by(a_number_that_another_has)
@for_each("numbered_invoice")
def test_numbers_are_used_once(migrated: Database, invoice: Invoice, books: Books, passes: MoneyPasses) -> None:
    """Two documents of one number are one too many for an auditor; a number left out is a document that was lost."""
    assert invoice.numbering is not None
    migrated.expect_none(passes.share(used_twice(invoice, invoice.numbering, books)))


@control(
    "BIL-12",
    title="Credits never exceed their document, and add up to what it says was credited",
    impact="critical",
    remediation=(
        "Compare the listed invoices with the credit notes sent to customers. Correct the database to agree "
        "with the notes."
    ),
)
@proven_by(more_credited_than_the_document)
@for_each("credited_invoice")
def test_credits_stay_within_their_document(
    migrated: Database, invoice: Invoice, books: Books, passes: MoneyPasses
) -> None:
    """A credit that no note explains hides a debt, or pays out money that was never received."""
    migrated.expect_none(passes.share(wrongly_credited(invoice, books)))


@control(
    "BIL-13",
    title="No money was kept for a document whose status means unpaid",
    impact="critical",
    remediation="Refund the money, or find the status that the document should have had when the money was received.",
)
@proven_by(a_void_document_with_money)
@for_each("payment_of_voidable")
def test_unpaid_means_unpaid(
    migrated: Database, payment: Payment, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """Money kept for a void document is a customer's money that nobody owes anything for."""
    migrated.expect_none(passes.share(paid_though_unpaid(payment, profile.invoice_named(payment.settles), books)))


@control(
    "BIL-14",
    title="No document is paid beyond its total without a credit",
    impact="critical",
    remediation="Refund or credit what was paid beyond the total. Find what charged the customer again.",
)
@proven_by(a_paid_document_that_costs_nothing)
@for_each("payment")
def test_nothing_is_overpaid(
    migrated: Database, payment: Payment, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """What was paid beyond a document's total belongs to the customer: refunded, or credited."""
    migrated.expect_none(passes.share(overpaid_invoices(payment, profile.invoice_named(payment.settles), books)))


@control(
    "BIL-15",
    title="Every id of a payment processor is used once",
    impact="critical",
    remediation="Look the id up at the processor. One charge there is one payment here; the other row is a duplicate.",
)
@proven_by(a_processors_id_used_again)
@for_each("processor_id")
def test_a_processors_id_counts_once(
    migrated: Database, processed: Processed, books: Books, passes: MoneyPasses
) -> None:
    """One charge on a card that stands for two payments settles a document with money that never came."""
    migrated.expect_none(passes.share(processed_twice(processed, books)))


@control(
    "BIL-16",
    title="No payment is refunded beyond its amount",
    impact="critical",
    remediation="Compare the listed payments' refunds with the processor's own list. Recover what was refunded twice.",
)
@proven_by(a_payment_smaller_than_its_refunds)
@for_each("refunded_payment")
def test_refunds_stay_within_their_payment(
    migrated: Database, payment: Payment, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """A refund beyond its payment is money lost; one of no payment is money that nobody can explain."""
    migrated.expect_none(passes.share(refunded_beyond(payment, profile.invoice_named(payment.settles), books)))


@control(
    "BIL-17",
    title="Periods of one owner have no gap between them",
    impact="high",
    remediation="Find the lost period, or extend its neighbours to the dates on which the customer was served.",
)
@proven_by(a_period_after_a_hole)
@for_each("gapless_period")
def test_periods_leave_no_hole(migrated: Database, period: Period, books: Books, passes: MoneyPasses) -> None:
    """Days between two periods were served and never charged, or their period is lost."""
    migrated.expect_none(passes.share(with_a_hole_before(period, books)))


@control(
    "BIL-18",
    title="Every period that is active by its status was running when the backup was taken",
    impact="high",
    remediation="Set the period's status to ended, or renew it. The job that ends periods had stopped before the backup.",
)
@proven_by(a_period_that_no_longer_runs)
@for_each("active_period")
def test_what_is_active_runs(migrated: Database, active: ActivePeriod, books: Books, passes: MoneyPasses) -> None:
    """A subscription that is active and ended serves for nothing; one that has not begun charges too early. Where the
    profile says who is served, each of them has one that runs."""
    migrated.expect_none(passes.share(idle_periods(active, books)))


@control(
    "BIL-19",
    title="Recorded usage equals what the ledger charged",
    impact="critical",
    remediation="Find the usage that was not charged, or the charge without usage. Correct it with a new entry.",
)
@proven_by(usage_that_was_not_charged)
@for_each("usage")
def test_usage_is_what_the_ledger_took(
    migrated: Database, usage: Usage, profile: Profile, books: Books, passes: MoneyPasses
) -> None:
    """Usage that adds up to less than was taken is a charge that nobody can explain; to more, money not earned."""
    migrated.expect_none(passes.share(not_charged_alike(usage, profile.ledger_named(usage.charges), books)))
