"""What the back office can see: every table with a single key."""

from django.apps import apps
from django.contrib import admin

for model in apps.get_app_config("igny8").get_models():
    # The admin addresses a row by one value, so it refuses composite keys.
    if not model._meta.is_composite_pk:
        admin.site.register(model)
