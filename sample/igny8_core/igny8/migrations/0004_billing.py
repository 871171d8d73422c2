"""The ledger, usage, subscriptions, invoices, payments and refunds."""

import django.db.models.deletion
import django.db.models.expressions
import igny8_core.igny8.columns
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("igny8", "0003_content"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=30)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("open", "open"), ("paid", "paid"), ("void", "void")],
                        max_length=20,
                    ),
                ),
                ("lines", models.JSONField(default=list)),
                ("subtotal", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("tax_rate", models.DecimalField(decimal_places=4, max_digits=6)),
                ("tax", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("total", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("credited", igny8_core.igny8.columns.MoneyField(decimal_places=3, default=0, max_digits=14)),
                ("issued_on", models.DateField(blank=True, null=True)),
                ("paid_at", models.DateTimeField(blank=True, null=True)),
                (
                    "currency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="igny8.currency"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_invoices",
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "pending"), ("succeeded", "succeeded"), ("failed", "failed")],
                        max_length=20,
                    ),
                ),
                ("method", models.CharField(max_length=20)),
                ("reference", models.CharField(max_length=80)),
                ("created_at", models.DateTimeField()),
                (
                    "currency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="igny8.currency"
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="igny8.invoice"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_payments",
            },
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "pending"), ("succeeded", "succeeded"), ("failed", "failed")],
                        max_length=20,
                    ),
                ),
                ("reason", models.CharField(max_length=60)),
                ("created_at", models.DateTimeField()),
                (
                    "payment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="igny8.payment"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_refunds",
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("ended", "ended"), ("cancelled", "cancelled")], max_length=20
                    ),
                ),
                ("period_start", models.DateField()),
                ("period_end", models.DateField()),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="subscriptions", to="igny8.plan"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="subscriptions", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_subscriptions",
            },
        ),
        migrations.AddField(
            model_name="invoice",
            name="subscription",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoices",
                to="igny8.subscription",
            ),
        ),
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("operations", models.PositiveIntegerField()),
                ("credits", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usage_days", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_usage_days",
            },
        ),
        migrations.CreateModel(
            name="UsageLog",
            fields=[
                ("usage_no", models.BigAutoField(primary_key=True, serialize=False)),
                ("entry_no", models.PositiveIntegerField()),
                ("operation", models.CharField(max_length=40)),
                ("credits", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("created_at", models.DateTimeField()),
                (
                    "content",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="usage",
                        to="igny8.content",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="usage", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_usage_logs",
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("description", models.CharField(max_length=200)),
                ("quantity", models.PositiveIntegerField()),
                ("unit_price", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                (
                    "amount",
                    models.GeneratedField(
                        db_persist=True,
                        expression=django.db.models.expressions.CombinedExpression(
                            models.F("quantity"), "*", models.F("unit_price")
                        ),
                        output_field=igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14),
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="line_items", to="igny8.invoice"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_invoice_lines",
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "position"), name="igny8_invoice_line_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_no", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("grant", "grant"), ("usage", "usage"), ("adjustment", "adjustment")], max_length=20
                    ),
                ),
                ("amount", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("balance_after", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("created_at", models.DateTimeField()),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="granted_entries",
                        to="igny8.invoice",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="ledger", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "ledger entries",
                "db_table": "igny8_credit_ledger",
                "constraints": [models.UniqueConstraint(fields=("tenant", "entry_no"), name="igny8_ledger_entry_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("period_end__gt", models.F("period_start"))), name="igny8_subscription_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(fields=("tenant", "number"), name="igny8_invoice_number_once"),
        ),
        migrations.AddConstraint(
            model_name="usagelog",
            constraint=models.UniqueConstraint(fields=("tenant", "entry_no"), name="igny8_usage_once"),
        ),
    ]
