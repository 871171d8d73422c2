"""Fills the clinics through their own code: shared rows first, then a schema, patients, invoices and letters for each."""

import datetime
from decimal import Decimal

import django

django.setup()

from billing.models import Invoice, Line, Patient, Payment  # noqa: E402
from customers.models import Clinic, Domain, Treatment  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_tenants.utils import schema_context  # noqa: E402
from filer.models import File  # noqa: E402

CLINICS = ("north", "south", "west")
PATIENTS = 4
INVOICES = 3
BEGUN = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=60)


def patient_of(clinic: str, number: int) -> Patient:
    content = ContentFile(f"A letter to patient {number} of {clinic}.\n".encode() * number, name=f"letter{number}.txt")
    letter = File.objects.create(file=content, original_filename=f"letter{number}.txt", name=f"letter {number}")
    user = User.objects.create_user(f"patient{number}", f"patient{number}@{clinic}.example", "not-a-secret")
    return Patient.objects.create(name=f"Patient {number}", user=user, letter=letter)


def invoiced(clinic: str, patient: Patient, turn: int) -> None:
    """Of each patient's invoices the first is open, and the others are paid, in two parts."""
    issued = BEGUN + datetime.timedelta(days=turn, minutes=patient.pk)
    number = f"{clinic[0].upper()}-{Invoice.objects.count() + 1:05}"
    parts = [(treatments[(patient.pk + turn) % 4], 1 + turn), (treatments[(patient.pk * turn + 1) % 4], 1)]
    invoice = Invoice.objects.create(
        patient=patient,
        number=number,
        issued=issued,
        currency="EUR",
        status="paid" if turn else "open",
        total=sum(treatment.price * quantity for treatment, quantity in parts),
    )
    for treatment, quantity in parts:
        amount = treatment.price * quantity
        Line.objects.create(
            invoice=invoice, treatment=treatment, quantity=quantity, price=treatment.price, amount=amount
        )
    if turn:
        for amount in (Decimal("10.00"), invoice.total - 10):
            received = issued + datetime.timedelta(days=7)
            Payment.objects.create(invoice=invoice, received=received, currency="EUR", amount=amount)


call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
treatments = [Treatment.objects.create(code=f"T{number}", price=Decimal("17.35") + number) for number in range(4)]
for name in CLINICS:
    clinic = Clinic(name=name.title(), schema_name=name)
    clinic.save(verbosity=0)
    Domain.objects.create(domain=f"{name}.clinics.example", tenant=clinic, is_primary=True)
    with schema_context(name):
        User.objects.create_superuser("keeper", f"keeper@{name}.example", "not-a-secret")
        for number in range(1, PATIENTS + 1):
            patient = patient_of(name, number)
            for turn in range(INVOICES):
                invoiced(name, patient, turn)
