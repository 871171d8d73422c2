"""What the Celery worker does by itself."""

from django.core.mail import send_mail
from igny8_core.celery import app

from .models import Invoice


@app.task(name="igny8.remind_of_open_invoices")
def remind_of_open_invoices() -> int:
    """Writes to the owners of each tenant with an open invoice; gives back how many messages were sent.

    On a restored copy this would write to real customers: a drill never starts the worker or beat.
    """
    sent = 0
    for invoice in Invoice.objects.filter(status="open").select_related("tenant"):
        owners = invoice.tenant.users.filter(memberships__role="owner", memberships__tenant=invoice.tenant)
        recipients = list(owners.values_list("email", flat=True).distinct())
        if recipients:
            sent += send_mail(f"Invoice {invoice.number}", "Your invoice is open.", None, recipients)
    return sent
