"""Fills three companies through their own code: each counts its customers, invoices, lines and payments from one."""

import datetime
from decimal import Decimal

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_otp.plugins.otp_totp.models import TOTPDevice  # noqa: E402
from rental.models import Company, Customer, Invoice, Line, Payment, Refund  # noqa: E402

COMPANIES = {"crane": ("EUR", 4), "digger": ("CHF", 5), "mixer": ("EUR", 4)}
INVOICES = 3
BEGUN = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=60)


def invoiced(company: Company, currency: str, customer: int, turn: int) -> None:
    """Of each customer's invoices the first is open; the others are paid in two parts, the excess is given back."""
    id = Invoice.objects.filter(company=company).count() + 1
    issued = BEGUN + datetime.timedelta(days=turn, minutes=customer)
    parts = [Decimal("17.35") + customer, Decimal("40.10") + turn]
    of = {"company": company, "invoice_id": id}
    content = ContentFile(f"Invoice {id} of {company.slug}.\n".encode(), name=f"{company.slug}-{id}.txt")
    Invoice.objects.create(
        company=company,
        id=id,
        customer_id=customer,
        number=f"R-{id:05}",
        issued=issued,
        currency=currency,
        status="paid" if turn else "open",
        total=sum(parts),
        document=content,
    )
    for amount in parts:
        Line.objects.create(id=Line.objects.filter(company=company).count() + 1, amount=amount, **of)
    if turn:
        received = issued + datetime.timedelta(days=7)
        for amount in (Decimal("10.00"), sum(parts) - 9):
            id = Payment.objects.filter(company=company).count() + 1
            Payment.objects.create(id=id, received=received, currency=currency, amount=amount, **of)
        Refund.objects.create(company=company, id=id, payment_id=id, amount=Decimal("1.00"))


call_command("migrate", verbosity=0, interactive=False)
for slug, (currency, customers) in COMPANIES.items():
    company = Company.objects.create(slug=slug)
    for customer in range(1, customers + 1):
        user = User.objects.create_user(f"{slug}{customer}", f"{slug}{customer}@rentals.example", "not-a-secret")
        TOTPDevice.objects.create(user=user, name="phone")
        Customer.objects.create(company=company, id=customer, user=user, name=f"Customer {customer}")
        for turn in range(INVOICES):
            invoiced(company, currency, customer, turn)
