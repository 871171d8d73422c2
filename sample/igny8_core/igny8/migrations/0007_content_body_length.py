"""Every piece of content gets its length in characters: a data migration over the biggest table."""

from django.db import migrations
from django.db.models import Max
from django.db.models.functions import Length

BATCH = 20_000


def measure(apps, schema_editor):
    content = apps.get_model("igny8", "Content").objects.using(schema_editor.connection.alias)
    last = content.aggregate(last=Max("pk"))["last"] or 0
    for first in range(1, last + 1, BATCH):
        content.filter(pk__gte=first, pk__lt=first + BATCH).update(body_length=Length("body"))


def forget(apps, schema_editor):
    apps.get_model("igny8", "Content").objects.using(schema_editor.connection.alias).update(body_length=None)


class Migration(migrations.Migration):
    dependencies = [("igny8", "0006_postgres_features")]

    operations = [migrations.RunPython(measure, forget)]
