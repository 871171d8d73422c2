"""What is kept about anything else: notes on any row, and the trail of who did what."""

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models

from .tenancy import Tenant, User


class Note(models.Model):
    """A remark on a row of any table, which must belong to the same tenant."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="notes")
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.PositiveBigIntegerField()
    about = GenericForeignKey("content_type", "object_id")
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="notes")
    body = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_notes"
        indexes = [models.Index(fields=["content_type", "object_id"], name="igny8_note_about")]

    def __str__(self):
        return f"note {self.pk}"


class AuditTrail(models.Model):
    """A table from another hand: its name and columns are in mixed case and must be quoted."""

    entry_id = models.BigAutoField(primary_key=True, db_column="entryId")
    tenant = models.ForeignKey(Tenant, models.CASCADE, db_column="tenantId", related_name="trail")
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, db_column="actorId", related_name="trail")
    action = models.CharField(max_length=40)
    address = models.GenericIPAddressField(null=True, blank=True)
    details = models.JSONField(default=dict)
    happened_at = models.DateTimeField(db_column="happenedAt")

    class Meta:
        db_table = "igny8_AuditTrail"
        verbose_name_plural = "audit trail"

    def __str__(self):
        return self.action
