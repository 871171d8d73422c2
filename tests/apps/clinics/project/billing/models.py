from django.db import models
from filer.fields.file import FilerFileField


class Patient(models.Model):
    name = models.CharField(max_length=60)
    user = models.OneToOneField("auth.User", models.PROTECT)
    letter = FilerFileField(null=True, on_delete=models.PROTECT)


class Invoice(models.Model):
    patient = models.ForeignKey(Patient, models.PROTECT)
    number = models.CharField(max_length=16, unique=True)
    issued = models.DateTimeField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=[("open", "open"), ("paid", "paid"), ("void", "void")])
    total = models.DecimalField(max_digits=10, decimal_places=2)


class Line(models.Model):
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    treatment = models.ForeignKey("customers.Treatment", models.PROTECT)
    quantity = models.PositiveIntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    amount = models.DecimalField(max_digits=10, decimal_places=2)


class Payment(models.Model):
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="payments")
    received = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
