from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Clinic(TenantMixin):
    name = models.CharField(max_length=60, unique=True)
    auto_create_schema = True


class Domain(DomainMixin):
    pass


class Country(models.Model):
    code = models.CharField(max_length=2, unique=True)
