"""The command that migrates an empty database to the dump's state and fills it."""

from datetime import datetime
from pathlib import Path

import psycopg
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from igny8_core.igny8.filling.loading import NotEmpty, load
from igny8_core.igny8.filling.logs import write_logs
from igny8_core.igny8.filling.outline import UNTIL, draw
from igny8_core.igny8.filling.sites_data import write_sites, write_uploads


class Command(BaseCommand):
    help = "Fills an empty database and its folders with the sample's data, the same for the same seed and scale."

    def add_arguments(self, parser):
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--scale", type=int, default=1, help="1: some thousand rows; 100: several hundred MB")
        parser.add_argument("--sites-data", type=Path, required=True, help="folder for the published files")
        parser.add_argument("--logs", type=Path, required=True, help="folder for the logs")
        parser.add_argument("--until", type=datetime.fromisoformat, default=UNTIL, help="when the data ends")
        parser.add_argument("--migrate-to", metavar="NAME", help="first migrate the application to this one")

    def handle(self, *, seed, scale, sites_data, logs, until, migrate_to, **options):
        if connection.vendor != "postgresql":
            raise CommandError(f"the sample is filled through COPY; the database is {connection.vendor}: set DB_HOST")
        if migrate_to:
            call_command("migrate", "igny8", migrate_to, verbosity=0)
            for other in ("auth", "admin", "contenttypes", "sessions"):
                call_command("migrate", other, verbosity=0)
        outline = draw(seed, scale, until)
        settings = connection.get_connection_params()
        names = {name: settings[name] for name in ("host", "port", "dbname", "user", "password") if name in settings}
        with psycopg.connect(**names, autocommit=True, options="-c search_path=public -c timezone=UTC") as direct:
            try:
                load(direct, outline)
            except NotEmpty as error:
                raise CommandError(str(error)) from error
        write_sites(outline, sites_data)
        write_uploads(outline, sites_data)
        write_logs(outline, logs)
