"""What became of a tenant's invoice for a month: billing and the ledger both have to know."""

from .outline import MONTHS, Outline, TenantOutline


def invoice_status(outline: Outline, tenant: TenantOutline, month: int) -> str:
    """draft for the last month, open or paid for the one before it, else paid and now and then void."""
    if month == MONTHS - 1:
        return "draft"
    chance = outline.random("invoice status", tenant.id, month).random()
    if month == MONTHS - 2:
        return "open" if chance < 0.5 else "paid"
    return "void" if chance < 0.04 else "paid"
