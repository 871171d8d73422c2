"""Notes and the audit trail."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("contenttypes", "0002_remove_content_type_name"),
        ("igny8", "0004_billing"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditTrail",
            fields=[
                ("entry_id", models.BigAutoField(db_column="entryId", primary_key=True, serialize=False)),
                ("action", models.CharField(max_length=40)),
                ("address", models.GenericIPAddressField(blank=True, null=True)),
                ("details", models.JSONField(default=dict)),
                ("happened_at", models.DateTimeField(db_column="happenedAt")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True,
                        db_column="actorId",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trail",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_column="tenantId",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trail",
                        to="igny8.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "audit trail",
                "db_table": "igny8_AuditTrail",
            },
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_id", models.PositiveBigIntegerField()),
                ("body", models.TextField()),
                ("created_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="notes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "content_type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="contenttypes.contenttype"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="notes", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_notes",
                "indexes": [models.Index(fields=["content_type", "object_id"], name="igny8_note_about")],
            },
        ),
    ]
