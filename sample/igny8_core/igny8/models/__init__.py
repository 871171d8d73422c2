"""Every table of the application, by the part of the business it serves."""

from .billing import Invoice, InvoiceLine, LedgerEntry, Payment, Refund, Subscription, UsageDay, UsageLog
from .content import Content, Image, Keyword, Tag, Task
from .sites import Deployment, Sector, Site
from .tenancy import Currency, Membership, Plan, Tenant, User
from .trail import AuditTrail, Note

__all__ = [
    "AuditTrail",
    "Content",
    "Currency",
    "Deployment",
    "Image",
    "Invoice",
    "InvoiceLine",
    "Keyword",
    "LedgerEntry",
    "Membership",
    "Note",
    "Payment",
    "Plan",
    "Refund",
    "Sector",
    "Site",
    "Subscription",
    "Tag",
    "Task",
    "Tenant",
    "UsageDay",
    "UsageLog",
    "User",
]
