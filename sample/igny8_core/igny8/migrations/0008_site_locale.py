"""Every site says which language it is in, beginning with the one that most of its content has."""

from django.db import migrations, models
from django.db.models import Count


def take_from_content(apps, schema_editor):
    alias = schema_editor.connection.alias
    content = apps.get_model("igny8", "Content").objects.using(alias)
    sites = apps.get_model("igny8", "Site").objects.using(alias)
    counted = content.values("sector__site_id", "language").annotate(pieces=Count("pk"))
    most: dict[int, str] = {}
    for row in counted.order_by("pieces", "language"):
        most[row["sector__site_id"]] = row["language"]
    for language in sorted(set(most.values()) - {"en"}):
        sites.filter(pk__in=[pk for pk, spoken in most.items() if spoken == language]).update(locale=language)


class Migration(migrations.Migration):
    dependencies = [("igny8", "0007_content_body_length")]

    operations = [
        migrations.AddField("site", "locale", models.CharField(default="en", max_length=12)),
        migrations.RunPython(take_from_content, migrations.RunPython.noop),
    ]
