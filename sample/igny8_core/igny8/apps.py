"""How Django knows the application."""

from django.apps import AppConfig


class Igny8Config(AppConfig):
    name = "igny8_core.igny8"
    label = "igny8"
    verbose_name = "IGNY8"
