"""The price list: what each plan costs and grants."""

from decimal import ROUND_HALF_UP, Decimal

from .outline import CURRENCIES

# Code, name, credits a month, US dollars a month.
PLANS = (("starter", "Starter", 1000, 29), ("growth", "Growth", 4000, 99), ("scale", "Scale", 12000, 249))


def price(currency: str, plan: int) -> Decimal:
    """A plan's monthly price in a currency, with as many decimals as that currency has."""
    _, decimals, rate = CURRENCIES[currency]
    return (Decimal(PLANS[plan][3]) * Decimal(rate)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def monthly_credits(plan: int) -> Decimal:
    return Decimal(PLANS[plan][2])
