"""BIL: what may stand in a column of money, and what the migrations may make of it."""

from fixtures.checks.billing.books import Books
from fixtures.checks.billing.conserved import Holdings, compare_money
from fixtures.checks.billing.conserved_books import BookSums
from fixtures.checks.billing.currencies import InCurrency, finer_than_its_currency
from fixtures.checks.billing.domain import (
    MoneyTable,
    inexact_money,
    no_number,
    outside_its_list,
    too_early,
)
from fixtures.checks.billing.ledger import falling_below
from fixtures.checks.billing.passes import MoneyPasses
from fixtures.checks.billing.planters.values import (
    a_moment_too_early,
    a_value_of_no_list,
    an_amount_below_zero,
    an_amount_of_no_currency,
    an_amount_that_is_no_number,
    an_amount_that_the_migrations_changed,
)
from fixtures.checks.billing.spoilers import money_of_a_type_that_rounds
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.plugin.declare import control, for_each, proven_by, reads_rows_of
from fixtures.profile import Profile
from fixtures.profile.money import Domain, Follows, Ledger


@control(
    "BIL-07",
    title="Money is held in exact types",
    impact="high",
    remediation="Change the column to numeric. A float loses cents without an error.",
)
@proven_by(money_of_a_type_that_rounds)
def test_money_is_held_in_exact_types(migrated: Database, profile: Profile, examination: Examination) -> None:
    """real and double precision round: sums over them depend on the order of rows, and a restore changes that order."""
    columns, inexact = inexact_money(profile, migrated.facts)
    examination.expect_none(inexact, "can round", of=columns, unit="money columns")


@control(
    "BIL-09",
    title="No amount is finer than its currency, and every currency is known",
    impact="high",
    remediation="Find what wrote the amount without rounding it. If the currency is intended, add it to the list.",
)
@proven_by(an_amount_of_no_currency)
@for_each("money_in_currency")
def test_no_amount_is_finer_than_its_currency(
    migrated: Database, held: InCurrency, books: Books, passes: MoneyPasses
) -> None:
    """Nobody can pay a third of a cent: such an amount never settles, and sums of many drift from what was paid."""
    migrated.expect_none(passes.share(finer_than_its_currency(held, books)))


@control(
    "BIL-20",
    title="Statuses, currencies and other lists hold what is declared",
    impact="high",
    remediation="Find what wrote the value. If the value is intended, add it to [[domain]] one_of.",
)
@proven_by(a_value_of_no_list)
@for_each("listed_values")
def test_lists_hold_what_is_declared(migrated: Database, declared: Domain, books: Books, passes: MoneyPasses) -> None:
    """A status that no code knows is neither dunned nor paid: its row falls through every list there is."""
    migrated.expect_none(passes.share(outside_its_list(declared, books)))


@control(
    "BIL-21",
    title="No amount is negative that must not be",
    impact="critical",
    remediation="Find what wrote the sign. A refund or a credit has a row of its own, never a negated amount.",
)
@proven_by(an_amount_below_zero)
@for_each("signed_amounts")
def test_no_amount_is_negative_amounts(
    migrated: Database, declared: Domain | Ledger, books: Books, passes: MoneyPasses
) -> None:
    """A negative payment adds up all the same, and pays a customer for being charged; a card that falls below zero was spent
    twice."""
    migrated.expect_none(passes.share(falling_below(declared, books)))


@control(
    "BIL-22",
    title="Every amount is a number",
    impact="critical",
    remediation="Correct the row from its document. NaN makes every sum over it NaN.",
)
@proven_by(an_amount_that_is_no_number)
@for_each("money_table")
def test_every_amount_is_a_number(migrated: Database, held: MoneyTable, books: Books, passes: MoneyPasses) -> None:
    """PostgreSQL's numeric holds NaN, equal to itself and above everything: it passes comparisons that it should fail."""
    migrated.expect_none(passes.share(no_number(held, books)))


@control(
    "BIL-23",
    title="Moments are in the declared order",
    impact="high",
    remediation="Find what wrote the timestamp. A paid date before its issue date falls into a closed period.",
)
@proven_by(a_moment_too_early)
@for_each("ordered_moments")
def test_moments_follow_each_other(
    migrated: Database, declared: Domain | Follows, books: Books, passes: MoneyPasses
) -> None:
    """What is paid before it was issued is booked into the wrong month, which may have been closed; within a row, and
    between a row and the one that it belongs to."""
    migrated.expect_none(passes.share(too_early(declared, books)))


@control(
    "BIL-24",
    title="The migrations leave every tenant's money as it was",
    impact="critical",
    remediation=(
        "Do not migrate production. Find the migration that changes the sums, or declare the change in "
        "[[money_changed]]."
    ),
)
@proven_by(an_amount_that_the_migrations_changed)
@reads_rows_of("its subject")
@for_each("money_kept")
def test_the_migrations_leave_the_money(
    restored: Database, migrated: Database, holdings: Holdings | BookSums, examination: Examination
) -> None:
    """A migration that rounds, drops or moves amounts does so to every row at once, and nobody looks at them all again."""
    if isinstance(holdings, BookSums):
        looked_at, differences = holdings.compare(restored, migrated)
    else:
        looked_at, differences = compare_money(holdings, restored, migrated)
    examination.expect_none(differences, "differ from before the migrations", of=looked_at, unit="sums of money")
