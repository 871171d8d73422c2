"""Titles can be searched by similarity."""

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("igny8", "0008_site_locale"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="content",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["title"], name="igny8_content_title_trgm", opclasses=["gin_trgm_ops"]
            ),
        ),
    ]
