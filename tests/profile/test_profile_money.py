"""What is said of money and cannot be meant is told with its key before anything is restored."""

from pathlib import Path

import pytest

from fixtures.profile.reading import ProfileError, read_profile
from tests.support.small_shop import PROFILE


def read(folder: Path, text: str) -> None:
    (folder / "profile.toml").write_text(text)
    read_profile(folder)


def test_all_that_can_be_said_of_money_is_read(tmp_path: Path) -> None:
    read(tmp_path, PROFILE)


@pytest.mark.parametrize(
    ("former", "latter", "problem"),
    [
        ('debits = ["spend",', 'debits = ["buy",', "ledger[0].kinds: buy stands in more than one list"),
        (
            'credits = ["buy"], debits = ["spend", "expire"], ',
            "",
            "ledger[0].kinds: name at least one kind in credits or",
        ),
        ("tolerance = 0.01, ", "tolerance = 0, ", "ledger[1].inexact.tolerance: Input should be greater than 0"),
        (', reason = "a meter writes them, in floating point"', "", "ledger[1].inexact.reason: Field required"),
        ('account = "tenantCode"', 'account = "tenantCode"\ncurrency = "currency"', "ledger[0]: an account in several"),
        ('charges = "points"', 'charges = "pints"', "usage 'spent' charges 'pints', but no [[ledger]] has that name"),
        ('charges = "points"', 'charges = "litres"', "usage 'spent' names kinds, but [[ledger]] 'litres' has no"),
        ("currencies = {", "# currencies = {", "invoice 'bills' has a tax_rule, which needs [currencies] to round by"),
        ("exponents = {", 'table = "codes", exponents = {', "currencies: a table of currencies needs table, code and"),
        ('rounding = "half even"', 'rounding = "bankers"', "invoice[0].tax_rule.rounding: Input should be 'half up', "),
        ("percent = true, ", "percents = true, ", "invoice[0].tax_rule.percents: unknown key; did you mean 'percent'?"),
        (
            'rate = "vatPercent", ',
            "",
            "invoice[0].tax_rule: say where the rate stands: rate (a column of the document)",
        ),
        (
            'rate = "vatPercent"',
            'per_rate = true, rate = "vatPercent"',
            "invoice[0].tax_rule: per_rate parts the lines by their rates: it needs line_rate",
        ),
        ("gapless = true, year_of", "year_of", "invoice[0].numbering: first, series and gaps say how numbers count"),
        ('unpaid = ["void"]', 'unpaid = ["paid"]', "invoice[0]: paid stands in paid and in unpaid; keep one"),
        (', counts = ["sent"]', "", "invoice[0].credits: status and counts belong together"),
        ('succeeded = ["ok"]\nprocessor', "processor", "payment[0]: status and succeeded belong together"),
        (
            'processor_id = ["',
            'refunded = "back"\nprocessor_id = ["',
            "payment[0]: refunded and [payment.refunds] tell",
        ),
        ('one_of = { state = ["draft"', 'one_of = { state = [], x = ["draft"', "domain[0].one_of.state: "),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_key(tmp_path: Path, former: str, latter: str, problem: str) -> None:
    assert former in PROFILE
    with pytest.raises(ProfileError) as error:
        read(tmp_path, PROFILE.replace(former, latter, 1))
    assert problem in str(error.value)


def test_a_table_has_one_domain(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"Shop\.Bills has more than one \[\[domain\]\]: put them into one"):
        read(tmp_path, PROFILE + '[[domain]]\ntable = "Shop.Bills"\nnot_negative = ["vat"]\n')


def test_an_order_of_moments_has_a_name_of_its_own(tmp_path: Path) -> None:
    again = PROFILE[PROFILE.index("[[follows]]") :]
    with pytest.raises(ProfileError, match=r"notes after their bill names more than one \[\[follows\]\]"):
        read(tmp_path, PROFILE + again)
