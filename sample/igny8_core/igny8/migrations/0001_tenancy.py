"""Tenants, users, memberships, plans and currencies, with the extensions that everything stands on."""

import django.db.models.deletion
import django.utils.timezone
import igny8_core.igny8.columns
from django.conf import settings
from django.db import migrations, models
from igny8_core.igny8.postgres_sql import PostgresSQL


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        PostgresSQL("CREATE EXTENSION IF NOT EXISTS citext", "DROP EXTENSION citext"),
        PostgresSQL("CREATE EXTENSION IF NOT EXISTS pg_trgm", "DROP EXTENSION pg_trgm"),
        PostgresSQL("CREATE EXTENSION IF NOT EXISTS pgcrypto", "DROP EXTENSION pgcrypto"),
        migrations.CreateModel(
            name="Currency",
            fields=[
                ("code", models.CharField(max_length=3, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("minor_units", models.PositiveSmallIntegerField(help_text="decimals an amount may have")),
            ],
            options={
                "verbose_name_plural": "currencies",
                "db_table": "igny8_currencies",
            },
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", igny8_core.igny8.columns.CaseInsensitiveEmailField(max_length=254, unique=True)),
                ("full_name", models.CharField(max_length=120)),
                ("is_staff", models.BooleanField(default=False)),
                ("is_active", models.BooleanField(default=True)),
                ("date_joined", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text=(
                            "The groups this user belongs to. "
                            "A user will get all permissions granted to each of their groups."
                        ),
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
            options={
                "db_table": "igny8_users",
            },
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=60)),
                ("monthly_credits", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                ("price", igny8_core.igny8.columns.MoneyField(decimal_places=3, max_digits=14)),
                (
                    "currency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="igny8.currency"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_plans",
            },
        ),
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(max_length=80, unique=True)),
                ("credits_balance", igny8_core.igny8.columns.MoneyField(decimal_places=3, default=0, max_digits=14)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                (
                    "currency",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tenants", to="igny8.currency"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tenants", to="igny8.plan"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_tenants",
            },
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "owner"), ("editor", "editor"), ("viewer", "viewer")], max_length=20
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memberships",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_memberships",
            },
        ),
        migrations.AddField(
            model_name="user",
            name="tenants",
            field=models.ManyToManyField(related_name="users", through="igny8.Membership", to="igny8.tenant"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("tenant", "user"), name="igny8_membership_once"),
        ),
    ]
