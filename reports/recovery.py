"""The steps of a recovery from one backup set: commands that a shell takes as they stand, and measured times."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from fixtures.record import stages
from fixtures.record.record import DrillRecord
from fixtures.record.set_record import Artefact
from fixtures.record.stages import Stage
from reports import words
from reports.dump_commands import check_of_folder, is_folder, loading, program
from reports.story import Story

_SERVICES = '"$BACKEND" "$WORKER" "$BEAT"'


@dataclass(frozen=True)
class Step:
    """One thing to do: why, the commands, how long the drill took for it, and what to watch for."""

    title: str
    why: str
    commands: str
    measured: str
    warnings: tuple[str, ...] = ()


def settings(story: Story) -> str:
    """What the reader fills in, each refused by the shell while it is empty."""
    variables = {
        "PGHOST": "host of the database server to recover into",
        "PGUSER": "a superuser of that server, or the managed service's admin role",
        "PGDATABASE": "name of the database to recover into",
        "BACKUP_SET": f"folder that holds the files of {_name(story.evidence.record)}{_fetched(story.evidence.record)}",
        "SITES_PARENT": "folder that holds sites-data; in production /data/app",
        **({"UPLOADS_PARENT": "folder that uploads is put into"} if _file(story.evidence.record, "uploads") else {}),
        "APPLICATION": "checkout of the backend, where manage.py is, its production settings in the environment",
        "BACKEND": "systemd unit of the backend",
        "WORKER": "systemd unit of the Celery worker",
        "BEAT": "systemd unit of Celery beat",
    }
    width = max(len(name) for name in variables)
    lines = [
        f"export {name}=''{' ' * (width - len(name))}  # {words.one_line(meaning)}"
        for name, meaning in variables.items()
    ]
    checks = "; ".join(f': "${{{name}:?}}"' for name in variables)
    return "\n".join([*lines, f"({checks}) && echo 'every setting has a value'"])


def steps(story: Story) -> tuple[Step, ...]:
    """The guide's five steps, the check of the files before them, each split where it is timed apart."""
    record = story.evidence.record
    return tuple(
        step
        for part in (_stop, _check, _decrypt, _roles, _database, _sites, _uploads, _logs, _migrate, _start)
        for step in part(record)
    )


def _stop(record: DrillRecord) -> Iterator[Step]:
    yield Step(
        "Stop the backend, the Celery worker and Celery beat",
        "No task may run on partial data.",
        f"systemctl stop {_SERVICES}",
        _never("it starts none of them"),
        ("Tasks still queued in the broker were made for other data: empty it before the worker starts again.",),
    )


def _check(record: DrillRecord) -> Iterator[Step]:
    files = record.backup_set.artefacts if record.backup_set else ()
    if not files:
        return
    folders = [check_of_folder(file) for file in files if is_folder(record, file)]
    lines = [f"  {file.sha256} {shlex.quote(words.plain(file.name))}" for file in files if not is_folder(record, file)]
    checked = " \\\n".join(["(cd \"$BACKUP_SET\" && printf '%s  %s\\n'", *lines, "  | sha256sum --check --strict)"])
    commands = " &&\n".join([*([checked] if lines else []), *folders])
    yield Step(
        "Check that the files are those that were drilled",
        "Everything below was measured on these bytes and no others.",
        commands,
        f"Measured: {words.duration(_seconds(record, stages.LOCATE))} for finding the set and reading every file of it"
        if _ok(record, stages.LOCATE)
        else _not(record, stages.LOCATE),
    )


def _decrypt(record: DrillRecord) -> Iterator[Step]:
    sealed = [file for file in record.backup_set.artefacts if file.cipher] if record.backup_set else []
    if not sealed:
        return
    opening = {
        "age": 'age --decrypt -i "$DRILL_AGE_IDENTITY" -o {plain} {file}',
        "gpg": "gpg --output {plain} --decrypt {file}",
    }
    commands = [
        opening[file.cipher or ""].format(
            plain=_path(file), file=f'"$BACKUP_SET"/{shlex.quote(words.plain(file.name))}'
        )
        for file in sealed
    ]
    yield Step(
        "Decrypt the files",
        "Set DRILL_AGE_IDENTITY to the file of the identity, or GNUPGHOME to the keyring, that the drill opened them with.",
        " &&\n".join(["umask 077", *commands]),
        "Not measured on its own: it is part of the time for finding the set"
        if _ok(record, stages.LOCATE)
        else _not(record, stages.LOCATE),
        tuple(f"The drill could not: {file.locked}." for file in sealed[:1] if file.locked),
    )


def _roles(record: DrillRecord) -> Iterator[Step]:
    roles = _file(record, "roles")
    if roles is None:
        return
    named = [role.name for role in record.facts.roles if role.login] if record.facts else []
    logins = [name for name in named if record.restored and name in record.restored.roles_loaded]
    whose = f" ({words.few(logins, 10)})" if logins else ""
    yield Step(
        "Load the roles",
        "Owners and grants in the dump name them; without them the application is refused its own tables.",
        f"psql -X -v ON_ERROR_STOP=1 -d postgres -f {_path(roles)}",
        f"Not measured on its own: the restore stage with it took {words.duration(_seconds(record, stages.RESTORE))}"
        if _ok(record, stages.RESTORE) and not _cached(record)
        else _never("it took its restore from the cache")
        if _cached(record)
        else _not(record, stages.RESTORE),
        (f"The file holds no passwords: give those that log in{whose} theirs, with psql's \\password.",),
    )


def _database(record: DrillRecord) -> Iterator[Step]:
    dump = _file(record, "dump")
    jobs = record.restored.jobs if record.restored else 1
    restored = record.restored if _ok(record, stages.RESTORE) else None
    how = loading(record, _path(dump), jobs) if dump is not None else None
    if how is None or not how.makes_database:
        yield Step(
            "Make sure that the target database exists",
            "Loading a dump fills it, but does not make it.",
            'psql -X -d "$PGDATABASE" -c \'SELECT 1\' || createdb --template=template0 "$PGDATABASE"',
            _never("it makes a database of its own"),
        )
    if how is None:
        yield Step(
            "Restore the dump", "", "", _never("the set that was drilled holds no dump: there is nothing to restore")
        )
        return
    yield Step(
        "Restore the dump",
        "Read every line of its standard error before going on.",
        how.command,
        f"Measured: {words.duration(restored.restore_seconds)} for {words.size(restored.bytes_read)} with "
        f"{words.many(restored.jobs, 'job')}{_on(record)}{_cached(record)}"
        if restored
        else _not(record, stages.RESTORE),
        (how.warning, *_said(record), *_dealt_out(record)),
    )
    yield Step(
        "Give the planner its statistics",
        "A dump holds none; the first queries would be slow.",
        f'vacuumdb --analyze-only -j {jobs} -h "$PGHOST" -U "$PGUSER" -d "$PGDATABASE"',
        f"Measured: {words.duration(restored.analyze_seconds)}{_cached(record)}"
        if restored
        else _not(record, stages.RESTORE),
    )


def _dealt_out(record: DrillRecord) -> tuple[str, ...]:
    """A time that the command above does not reach."""
    dealt = record.restored.dealt_out if record.restored else None
    if dealt is None:
        return ()
    return (
        f"The drill loaded the rows of {dealt.table} over {words.many(dealt.connections, 'connection')} at once, which "
        "pg_restore does not do: by hand it takes longer than measured.",
    )


def _sites(record: DrillRecord) -> Iterator[Step]:
    archive = _file(record, "sites")
    if archive is None:
        return
    sites = record.sites
    warnings = []
    if sites is None:
        warnings.append(f"The drill has not read this archive: {record.why_missing(stages.SITES)}.")
    elif sites.unsafe_total:
        warnings.append(
            f"Do not unpack it: it holds {words.many(sites.unsafe_total, 'unsafe entry', 'unsafe entries')}."
        )
    elif not sites.read_to_end:
        warnings.append(f"The drill could not read it to its end: {sites.read_error}.")
    yield Step(
        "Put the sites data back" if _file(record, "uploads") else "Put the sites data and the uploads back",
        "What is there now is kept aside: nothing is unpacked over it.",
        '{ [ ! -e "$SITES_PARENT"/sites-data ] ||'
        ' mv "$SITES_PARENT"/sites-data "$SITES_PARENT"/sites-data.before-"$(date +%Y%m%d%H%M%S)"; } &&'
        f" \\\n  {_unpacking(archive)}",
        f"Measured: {words.duration(_seconds(record, stages.SITES))} for reading {words.many(sites.files, 'file')} "
        f"({words.size(sites.bytes)}) to the end; the drill does not unpack them"
        if sites and _ok(record, stages.SITES)
        else _not(record, stages.SITES),
        tuple(warnings),
    )


def _uploads(record: DrillRecord) -> Iterator[Step]:
    archive = _file(record, "uploads")
    if archive is not None:
        yield Step(
            "Put the uploads back",
            "What is there now is kept aside: nothing is unpacked over it.",
            '{ [ ! -e "$UPLOADS_PARENT"/uploads ] ||'
            ' mv "$UPLOADS_PARENT"/uploads "$UPLOADS_PARENT"/uploads.before-"$(date +%Y%m%d%H%M%S)"; } &&'
            f" \\\n  {_unpacking(archive, 'UPLOADS_PARENT')}",
            "Measured with the sites data, after which the drill reads it"
            if _ok(record, stages.SITES)
            else _not(record, stages.SITES),
        )


def _unpacking(archive: Artefact, parent: str = "SITES_PARENT") -> str:
    """The command that puts files in place below `parent`; a tar's packing is told by tar itself."""
    if archive.unpacked:
        return f'cp -a {_path(archive)}/. "${parent}"/'
    if archive.plain_name.endswith(".zip"):
        return f'unzip -q {_path(archive)} -d "${parent}"'
    packed = "z" if archive.plain_name.endswith(".gz") else ""
    return f'tar -x{packed}pf {_path(archive)} -C "${parent}"'


def _logs(record: DrillRecord) -> Iterator[Step]:
    archive = _file(record, "logs")
    if archive is None:
        return
    yield Step(
        "Look into the logs, if they are wanted",
        "They are for audit and debugging; the application does not need them.",
        f"tar -tzf {_path(archive)}",
        _never("logs are no part of the recovery"),
    )


def _migrate(record: DrillRecord) -> Iterator[Step]:
    applied = record.migrated.applied if record.migrated else ()
    spent = sum(migration.seconds for migration in applied)
    yield Step(
        "Migrate",
        "The schema becomes the code's.",
        '(cd "$APPLICATION" && python manage.py migrate && python manage.py migrate --check)',
        f"Not measured: the database was {record.cached_migrations}"
        if record.cached_migrations
        else f"Measured: {words.duration(_seconds(record, stages.MIGRATE))}, of which {words.duration(spent)} for "
        f"{words.many(len(applied), 'migration')}"
        if _ok(record, stages.MIGRATE)
        else _not(record, stages.MIGRATE),
    )
    yield Step(
        "Check the application and make its static files again",
        "Static files are in no backup.",
        '(cd "$APPLICATION" && python manage.py check && python manage.py collectstatic --noinput)',
        f"Measured: {words.duration(_seconds(record, stages.APPLICATION))}"
        if _ok(record, stages.APPLICATION)
        else _not(record, stages.APPLICATION),
    )


def _start(record: DrillRecord) -> Iterator[Step]:
    yield Step(
        "Restart the backend, the worker and beat",
        "In this order, the backend seen to answer before tasks run.",
        'systemctl start "$BACKEND" && systemctl start "$WORKER" && systemctl start "$BEAT"',
        _never("it starts none of them"),
    )


def _said(record: DrillRecord) -> tuple[str, ...]:
    if record.restored is None:
        return ()
    lines = [f"{line.text} ({words.many(line.count, 'time')}, {line.kind})" for line in record.restored.lines]
    said = f", and it said: {'; '.join(lines)}" if lines else ", and it said nothing"
    return (f"In the drill {program(record)}'s exit code was {record.restored.exit_code}{said}",)


def _on(record: DrillRecord) -> str:
    return f", on PostgreSQL {record.server.version} ({record.server.provider})" if record.server else ""


def _fetched(record: DrillRecord) -> str:
    elsewhere = record.backup_set is not None and record.backup_set.delivery is not None
    return f", fetched from {record.backup_set.location}" if elsewhere and record.backup_set else ""


def _name(record: DrillRecord) -> str:
    return record.backup_set.name if record.backup_set else "the backup set"


def _file(record: DrillRecord, role: str) -> Artefact | None:
    return record.backup_set.artefact(role) if record.backup_set else None


def _path(file: Artefact) -> str:
    return f'"$BACKUP_SET"/{shlex.quote(words.plain(file.plain_name))}'


def _ok(record: DrillRecord, stage: Stage) -> bool:
    outcome = record.stage(stage)
    return outcome is not None and outcome.state == "ok"


def _seconds(record: DrillRecord, stage: Stage) -> float:
    outcome = record.stage(stage)
    return outcome.seconds if outcome is not None else 0.0


def _cached(record: DrillRecord) -> str:
    cached = record.restored.from_cache if record.restored is not None else None
    return f", by drill {cached.run_id}: this one took the restore from the cache" if cached is not None else ""


def _not(record: DrillRecord, stage: Stage) -> str:
    return f"Not measured, because {record.why_missing(stage)}"


def _never(reason: str) -> str:
    return f"Not measured by the drill: {reason}"
