from django.db import models


class Company(models.Model):
    slug = models.SlugField(unique=True)


class Owned(models.Model):
    """A row whose `id` counts within its company. Django makes no constraint of what names such a row."""

    pk = models.CompositePrimaryKey("company_id", "id")
    company = models.ForeignKey(Company, models.PROTECT)
    id = models.IntegerField()

    class Meta:
        abstract = True


def within(model, column):
    return models.ForeignObject(
        model, models.PROTECT, from_fields=("company", column), to_fields=("company", "id"), related_name="+"
    )


class Customer(Owned):
    user = models.ForeignKey("auth.User", models.PROTECT)
    name = models.CharField(max_length=60)


class Invoice(Owned):
    customer_id = models.IntegerField()
    customer = within(Customer, "customer_id")
    number = models.CharField(max_length=16)
    issued = models.DateTimeField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8)
    total = models.DecimalField(max_digits=10, decimal_places=2)
    document = models.FileField(upload_to="invoices/")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("company", "number"), name="rental_numbers"),)


class Line(Owned):
    invoice_id = models.IntegerField()
    invoice = within(Invoice, "invoice_id")
    amount = models.DecimalField(max_digits=10, decimal_places=2)


class Payment(Owned):
    invoice_id = models.IntegerField()
    invoice = within(Invoice, "invoice_id")
    received = models.DateTimeField()
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=10, decimal_places=2)


class Refund(Owned):
    payment_id = models.IntegerField()
    payment = within(Payment, "payment_id")
    amount = models.DecimalField(max_digits=10, decimal_places=2)
