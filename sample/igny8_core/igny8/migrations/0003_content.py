"""Content, tags, keywords, tasks and images."""

import uuid

import django.contrib.postgres.indexes
import django.db.models.deletion
import igny8_core.igny8.columns
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("igny8", "0002_sites"),
    ]

    operations = [
        migrations.CreateModel(
            name="Content",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=300)),
                ("slug", models.CharField(max_length=120)),
                ("body", models.TextField()),
                ("body_sha256", models.BinaryField(null=True)),
                ("body_length", models.PositiveIntegerField(blank=True, null=True)),
                ("language", models.CharField(max_length=12)),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("review", "review"), ("published", "published")], max_length=20
                    ),
                ),
                ("metadata", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="content",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="igny8.content",
                    ),
                ),
                (
                    "sector",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="content", to="igny8.sector"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "content",
                "db_table": "igny8_content",
            },
        ),
        migrations.CreateModel(
            name="Image",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=300, unique=True)),
                ("sha256", models.CharField(max_length=64)),
                ("bytes", models.PositiveIntegerField()),
                ("original", igny8_core.igny8.columns.LargeObjectField(blank=True, null=True)),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="images", to="igny8.content"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_images",
            },
        ),
        migrations.CreateModel(
            name="Keyword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phrase", models.CharField(max_length=200)),
                ("monthly_searches", models.PositiveIntegerField()),
                ("difficulty", models.FloatField()),
                (
                    "site",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keywords", to="igny8.site"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="keywords", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_keywords",
            },
        ),
        migrations.CreateModel(
            name="Tag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tags", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_tags",
            },
        ),
        migrations.AddField(
            model_name="content",
            name="tags",
            field=models.ManyToManyField(db_table="igny8_content_tags", related_name="content", to="igny8.tag"),
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("task_key", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                (
                    "status",
                    models.CharField(
                        choices=[("queued", "queued"), ("running", "running"), ("done", "done"), ("failed", "failed")],
                        max_length=20,
                    ),
                ),
                ("payload", models.JSONField(default=dict)),
                ("took", models.DurationField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "content",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tasks",
                        to="igny8.content",
                    ),
                ),
                (
                    "keyword",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="tasks",
                        to="igny8.keyword",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tasks", to="igny8.tenant"
                    ),
                ),
            ],
            options={
                "db_table": "igny8_tasks",
            },
        ),
        migrations.AddIndex(
            model_name="keyword",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["phrase"], name="igny8_keyword_phrase_trgm", opclasses=["gin_trgm_ops"]
            ),
        ),
        migrations.AddConstraint(
            model_name="tag",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="igny8_tag_once"),
        ),
    ]
