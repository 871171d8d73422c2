"""Whether the application can reach what it stands on: its database and its broker.

Celery is imported where the broker is asked for alone: it is nearly a third of what a command takes to start."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse


def healthz(request: HttpRequest) -> JsonResponse:
    """Answers {"database": {…}, "broker": {…}}; 200 when both are reachable, 503 when either is not."""
    found = {"database": _database(), "broker": _broker()}
    reachable = all(part["reachable"] for part in found.values())
    return JsonResponse(found, status=200 if reachable else 503)


def _database() -> dict[str, object]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return {"reachable": False, "vendor": connection.vendor, "error": type(error).__name__}
    return {"reachable": True, "vendor": connection.vendor}


def _broker() -> dict[str, object]:
    from igny8_core.celery import app
    from kombu.exceptions import OperationalError

    # Without the broker's client library kombu raises ImportError or AttributeError: unreachable just as well.
    try:
        with app.connection_for_read() as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except (OperationalError, OSError, ImportError, AttributeError) as error:
        return {"reachable": False, "error": type(error).__name__}
    return {"reachable": True}
