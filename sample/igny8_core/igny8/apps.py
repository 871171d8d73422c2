"""How Django knows the application."""

from django.apps import AppConfig


class Igny8Config(AppConfig):
    name = "igny8_core.igny8"
    label = "igny8"
    verbose_name = "IGNY8"

    def ready(self) -> None:
        # Shared tasks bind to whichever Celery application is loaded first; it must be ours.
        from igny8_core import celery  # noqa: F401
