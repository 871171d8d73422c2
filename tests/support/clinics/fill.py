"""Fills the clinics through their own models: shared rows first, then a schema, doctors and visits for each clinic."""

import datetime

import django

django.setup()

from customers.models import Clinic, Country, Domain  # noqa: E402
from diary.models import Doctor, Visit  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django_tenants.utils import schema_context  # noqa: E402

DAY = datetime.date(2026, 3, 2)

call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
country = Country.objects.create(code="NL")
User.objects.create_user("operator")
for name in ("north", "south", "west"):
    clinic = Clinic.objects.create(name=name, schema_name=name)
    Domain.objects.create(domain=f"{name}.clinics.example", tenant=clinic, is_primary=True)
    with schema_context(name):
        doctor = Doctor.objects.create(name="A doctor", user=User.objects.create_user("doctor"), country=country)
        for number in range(1, 4):
            Visit.objects.create(doctor=doctor, day=DAY, number=number)
