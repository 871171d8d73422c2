"""Each APP control goes red on its own fault in the application's code, and no other does."""

from collections.abc import Callable
from pathlib import Path

from tests.support.application_under_test import new_migration
from tests.support.met_faults import WITHOUT_APPLICATION, Fault
from tests.support.short_drills import STOOD_UP
from tests.support.spoiled_sets import replace_in

CORE = Path("igny8_core")
NAMED = '    verbose_name = "IGNY8"\n'
STARTS = f"{NAMED}\n    def ready(self):\n"
BROKER_ANSWERS = '    return {"reachable": True}\n'

# Sees a fault of the schema that the release leaves, not of the one it finds: migrate runs these checks too.
A_CHECK_OF_THE_MIGRATED_SCHEMA = """
        from django.core.checks import Error, Tags, register
        from django.db import connection

        @register(Tags.database)
        def sites_have_no_locale(databases=None, **_):
            with connection.cursor() as cursor:
                columns = connection.introspection.get_table_description(cursor, "igny8_sites")
            there = "locale" in [column.name for column in columns]
            return [Error("a site may not have a locale", id="igny8.E001")] if there else []
"""
CALLS_OUTSIDE = """
        import socket

        try:
            socket.create_connection(("crm.example", 443), timeout=1).close()
        except OSError:
            pass
"""
KEEPS_A_LOG = """
        from pathlib import Path

        with (Path(__file__).parent / "started.log").open("a") as log:
            log.write("started\\n")
"""
STAMPED_STATIC_FILES = """
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "igny8_core.stamped.StampedStorage"},
}
"""
STAMPED = """
import time

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.base import ContentFile


class StampedStorage(StaticFilesStorage):
    def post_process(self, paths, dry_run=False, **options):
        self._save("build.txt", ContentFile(str(time.time_ns())))
        return []
"""


def at_start(statements: str) -> Callable[[Path], None]:
    def write(checkout: Path) -> None:
        module = checkout / CORE / "igny8" / "apps.py"
        before = STARTS if STARTS in module.read_text() else NAMED
        replace_in(module, {before: STARTS + statements})

    return write


def broker_check(statements: str) -> Callable[[Path], None]:
    return lambda checkout: replace_in(checkout / CORE / "health.py", {BROKER_ANSWERS: statements})


def a_stylesheet_of_a_picture_that_nobody_committed(checkout: Path) -> None:
    stylesheet = checkout / CORE / "igny8" / "static" / "igny8" / "igny8.css"
    stylesheet.write_text('body { background: url("built-elsewhere.png"); }\n')
    hashed = STAMPED_STATIC_FILES.replace(
        "igny8_core.stamped.StampedStorage", "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    )
    with (checkout / CORE / "settings.py").open("a") as settings:
        settings.write(hashed)


def static_files_with_a_stamp(checkout: Path) -> None:
    (checkout / CORE / "stamped.py").write_text(STAMPED)
    with (checkout / CORE / "settings.py").open("a") as settings:
        settings.write(STAMPED_STATIC_FILES)


def a_migration_that_writes_to_everyone(checkout: Path) -> None:
    new_migration(
        checkout,
        "0010_planted",
        "migrations.RunPython(lambda apps, editor: [send_mail('News', 'We moved.', None, [user.email])"
        " for user in apps.get_model('igny8', 'User').objects.order_by('id')[:2]])",
    )


PLANTED = {
    "APP-01": {
        "it gives up while it answers": Fault(
            says="the application does not start",
            really=STOOD_UP,
            beside=True,
            in_code=broker_check('    raise SystemExit("no worker has been seen")\n'),
            blocked=WITHOUT_APPLICATION,
            because="the application does not start",
        ),
    },
    "APP-02": {
        "a check finds fault with the migrated schema": Fault(
            says="manage.py check exited 1: igny8.E001",
            really=STOOD_UP,
            beside=True,
            in_code=at_start(A_CHECK_OF_THE_MIGRATED_SCHEMA),
        ),
    },
    "APP-03": {
        "a stylesheet names a picture that is not in the release": Fault(
            says="collectstatic failed: ",
            really=STOOD_UP,
            beside=True,
            in_code=a_stylesheet_of_a_picture_that_nobody_committed,
        ),
        "a file is another one each time": Fault(
            says="collectstatic made other files the second time",
            really=STOOD_UP,
            beside=True,
            in_code=static_files_with_a_stamp,
        ),
    },
    "APP-04": {
        "it needs yesterday's queue": Fault(
            says="the health view answered 503",
            really=STOOD_UP,
            beside=True,
            in_code=broker_check(
                "    with app.connection_for_read() as broker:\n"
                '        queue = broker.default_channel.queue_declare("celery")\n'
                '    return {"reachable": queue.message_count > 0}\n'
            ),
        ),
    },
    "APP-05": {
        "a migration writes to two users": Fault(
            says="2 of 2 attempts would have reached another host",
            samples=("mail 1", "mail 2"),
            broken=2,
            really=STOOD_UP,
            beside=True,
            in_code=a_migration_that_writes_to_everyone,
        ),
        "it calls an address at every start": Fault(
            says="1 of 1 attempts would have reached another host",
            samples=("lookup crm.example:443",),
            really=STOOD_UP,
            beside=True,
            in_code=at_start(CALLS_OUTSIDE),
        ),
    },
    "APP-06": {
        "it keeps a log beside its code": Fault(
            says="1 of 1 files changed during the drill",
            samples=("igny8_core/igny8/started.log",),
            really=STOOD_UP,
            beside=True,
            in_code=at_start(KEEPS_A_LOG),
        ),
    },
}
