"""Sites, their sectors and their deployments."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("igny8", "0001_tenancy"),
    ]

    operations = [
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(max_length=80)),
                ("domain", models.CharField(max_length=200, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("draft", "draft"), ("archived", "archived")], max_length=20
                    ),
                ),
                ("current_version", models.PositiveIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sites", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_sites",
            },
        ),
        migrations.CreateModel(
            name="Sector",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="children",
                        to="igny8.sector",
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sectors", to="igny8.site"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_sectors",
            },
        ),
        migrations.CreateModel(
            name="Deployment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveIntegerField()),
                ("content_digest", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[("live", "live"), ("superseded", "superseded"), ("failed", "failed")], max_length=20
                    ),
                ),
                ("deployed_at", models.DateTimeField()),
                (
                    "deployed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="deployments",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deployments", to="igny8.site"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_deployments",
            },
        ),
        migrations.AddConstraint(
            model_name="site",
            constraint=models.UniqueConstraint(fields=("tenant", "slug"), name="igny8_site_slug_once"),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.UniqueConstraint(fields=("site", "version"), name="igny8_deployment_once"),
        ),
        migrations.AddConstraint(
            model_name="deployment",
            constraint=models.CheckConstraint(condition=models.Q(("version__gte", 1)), name="igny8_deployment_version"),
        ),
    ]
