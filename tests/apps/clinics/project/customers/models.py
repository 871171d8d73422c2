from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Clinic(TenantMixin):
    name = models.CharField(max_length=60, unique=True)
    auto_create_schema = True


class Domain(DomainMixin):
    pass


class Treatment(models.Model):
    code = models.CharField(max_length=8, unique=True)
    price = models.DecimalField(max_digits=8, decimal_places=2)
