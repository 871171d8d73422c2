"""What a manifest tells beyond counts: with a profile and without, beside another job, while sequences are drawn from."""

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from psycopg.rows import dict_row

from fixtures.checks.blocked import Blocked
from fixtures.checks.fidelity.catalogue_difference import sequence_difference
from fixtures.commands.backup import take_backup
from fixtures.commands.backup.job import Job
from fixtures.database import read_contents
from fixtures.database.shares_file import SharesUnreadable, read_shares
from fixtures.profile.reading import ProfileError, ReadProfile, read_profile
from fixtures.record.contents import Contents, SequenceSpan, SequenceState
from fixtures.record.manifest import Manifest
from fixtures.record.names import TableName
from tests.support.drills import ROOT
from tests.support.small_source import CANARY, Small, script, small_source

PEOPLE = TableName("public", "people")
PROFILE = """
[application]
name = "small"
environment = {}
[backup]
required = ["dump"]
least_bytes = 1
[targets]
rpo_hours = 24
rto_minutes = 5
[tenancy]
root = "my schema.order items"
[tenancy.shared]
parts = "nobody's in particular"
[[money]]
table = "people"
columns = ["item"]
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


def profile(folder: Path, text: str = PROFILE) -> ReadProfile:
    (folder / "profile.toml").write_text(text)
    return read_profile(folder)


def manifest_of(taken: Path) -> Manifest:
    return Manifest.model_validate_json((taken / f"{taken.name}.manifest.json").read_text())


def contents_of(taken: Path) -> Contents:
    contents = manifest_of(taken).contents
    assert contents is not None
    return contents


def backed_up(small: Small, into: Path, by: ReadProfile | None = None, job: Job | None = None) -> Path:
    pg_dump = None if job else small.server.clients.pg_dump
    return take_backup(
        small.source(),
        into,
        application="small",
        sites_data=small.sites,
        profile=by,
        pg_dump=pg_dump,
        job=job,
        guardian=small.guardian,
    )


def test_without_a_profile_the_manifest_says_that_it_tells_no_tenants(small: Small, tmp_path: Path) -> None:
    taken = backed_up(small, tmp_path)
    contents = contents_of(taken)
    assert "without a profile" in contents.undivided
    assert not contents.divided_by
    assert "shares" not in manifest_of(taken).files
    assert not list(taken.glob("*.shares.jsonl.gz"))
    # A partitioned table is told by its partitions.
    assert sorted(map(str, contents.digests)) == ["my schema.order items", "public.parts_2026", "public.people"]
    assert manifest_of(taken).tables[TableName("public", "parts")] == 50


def test_with_a_profile_every_tenants_share_lies_with_the_set(small: Small, tmp_path: Path) -> None:
    taken = backed_up(small, tmp_path / "sets", profile(tmp_path))
    assert contents_of(taken).divided_by == tmp_path.name
    lines = {line.division.table: line for line in read_shares(taken / manifest_of(taken).files["shares"].name)}
    assert set(lines) == {PEOPLE, TableName("my schema", "order items")}
    people = lines[PEOPLE]
    assert len(people.shares) == 2000
    assert people.shares["7"].rows == 1
    assert people.shares["7"].sums == {"item": {"": "7"}}
    assert (taken / manifest_of(taken).files["shares"].name).stat().st_mode & 0o777 == 0o600
    written = gzip.decompress((taken / manifest_of(taken).files["shares"].name).read_bytes()).decode()
    for secret in CANARY.split():
        assert secret not in written


def test_a_profile_that_does_not_fit_costs_the_shares_and_not_the_backup(small: Small, tmp_path: Path) -> None:
    unfit = profile(tmp_path, PROFILE.replace("order items", "order item"))
    contents = contents_of(backed_up(small, tmp_path / "sets", unfit))
    assert "did not fit" in contents.undivided
    assert "tenancy.root: no table my schema.order item" in contents.undivided
    assert contents.digests


def test_roles_policies_and_grants_are_told_without_a_value(small: Small, tmp_path: Path) -> None:
    contents = contents_of(backed_up(small, tmp_path))
    assert contents.roles["small app"].startswith(
        "INHERIT; LOGIN; CONNECTION LIMIT 7; VALID UNTIL 2099-01-01 00:00:00+00; member of small_readers; settings "
    )
    assert contents.policies["public.people mine"].clauses == "ALL permissive to small app,small_readers"
    assert contents.grants["relation public.people"].startswith("owner small_owner; small app: SELECT; small_auditor: ")
    assert contents.grants["default for relations in public"] == "owner small_owner; small_readers: SELECT"
    assert "TO nobody" not in contents.model_dump_json(), "a policy's condition may hold a value"


def test_a_sequence_that_moves_while_pg_dump_runs_is_told_by_both_its_states(small: Small, tmp_path: Path) -> None:
    """pg_dump reads sequences outside its snapshot: one state taken before it would be a false alarm, one after it too."""
    small.run("CREATE SEQUENCE IF NOT EXISTS busy; SELECT nextval('busy')")
    clients = small.server.clients
    draw = f"{clients.psql} -Xqtc \"SELECT nextval('busy')\" >/dev/null"
    front = script(
        tmp_path / "pg_dump",
        f'#!/bin/sh\ncase "$1" in --version) exec {clients.pg_dump} "$@";; esac\n'
        f'{draw} && {clients.pg_dump} "$@" && {draw}\n',
    )
    taken = take_backup(
        small.source(),
        tmp_path / "sets",
        application="small",
        sites_data=small.sites,
        pg_dump=front,
        guardian=small.guardian,
    )
    span = contents_of(taken).sequences[TableName("public", "busy")]
    assert span.after.last_value == span.before.last_value + 2
    small.server.create_database("again")
    restore = [clients.pg_restore, "--dbname=again", taken / f"{taken.name}.dump"]
    subprocess.run(restore, env=small.server.environment("again"), check=True)
    with small.server.connect("again") as connection, connection.cursor(row_factory=dict_row) as cursor:
        state, _ = read_contents.sequence_states(lambda: nullcontext(cursor))[TableName("public", "busy")]
    small.server.drop_database("again")
    assert state.last_value == span.before.last_value + 1
    assert sequence_difference(span, state) == ""


def state(value: int, called: bool = True) -> SequenceState:
    return SequenceState(last_value=value, is_called=called)


def test_a_sequence_outside_its_two_states_has_strayed() -> None:
    still = SequenceSpan(before=state(5), after=state(5), increment=1)
    assert sequence_difference(still, state(5)) == ""
    assert (
        sequence_difference(still, state(5, called=False))
        == "it stands at 5, not drawn yet where the source's stood at 5"
    )
    moved = SequenceSpan(before=state(5), after=state(9), increment=1)
    assert [sequence_difference(moved, state(value)) == "" for value in (4, 5, 7, 9, 10)] == [
        False,
        True,
        True,
        True,
        False,
    ]
    down = SequenceSpan(before=state(-5), after=state(-9), increment=-1)
    assert [sequence_difference(down, state(value)) == "" for value in (-4, -7, -10)] == [False, True, False]
    with pytest.raises(Blocked, match="set back"):
        sequence_difference(SequenceSpan(before=state(9), after=state(1), increment=1), state(9))


def beside(small: Small, folder: Path, *command: str, by: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **small.server.environment("source"), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, "-m", "fixtures.commands.backup", "--beside", str(folder), "--application", "small"]
        + (["--profile", str(by)] if by is not None else [])
        + ["--", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_a_manifest_is_written_beside_another_jobs_dump(small: Small, tmp_path: Path) -> None:
    wrapper = script(tmp_path / "nightly", f'#!/bin/sh\nexec {small.server.clients.pg_dump} -Fc -Z1 "$@"\n')
    profile(tmp_path)
    done = beside(small, tmp_path / "sets", str(wrapper), "--snapshot={snapshot}", "--file={dump}", by=tmp_path)
    assert done.returncode == 0, done.stderr
    taken = Path(done.stdout.strip())
    manifest = manifest_of(taken)
    assert manifest.pg_dump_version == "unknown: written by nightly"
    assert set(manifest.files) == {"dump", "roles", "shares"}
    assert contents_of(taken).digests
    assert {path.stat().st_mode & 0o777 for path in taken.iterdir()} == {0o600}
    assert (taken / manifest.files["dump"].name).read_bytes()[:5] == b"PGDMP"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["pgbackrest", "backup"], r"reads no snapshot.*\[backup\] no_manifest"),
        (["pg_dump", "--snapshot={snapshot}"], r"does not say which file to write.*\{dump\}"),
        (["/nonexistent/pg_dump", "{snapshot}", "{dump}"], "cannot be run: /nonexistent/pg_dump"),
        (["sh", "-c", "exit 3", "{snapshot}", "{dump}"], "exit code 3 and said: nothing"),
        (["true", "{snapshot}", "{dump}"], "wrote nothing"),
        (["sh", "-c", "rm $1; ln -s /etc/passwd $1", "{snapshot}", "{dump}"], "wrote nothing"),
    ],
)
def test_a_job_that_cannot_be_exact_or_fails_leaves_nothing(
    small: Small, tmp_path: Path, command: list[str], says: str
) -> None:
    done = beside(small, tmp_path / "sets", *command)
    assert done.returncode == 1
    assert re.search(says, done.stderr, re.DOTALL), done.stderr
    assert small.server.password not in done.stderr
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".dump", ".json", ".partial")]


def test_a_job_under_the_snapshot_does_not_see_what_was_written_since(small: Small, tmp_path: Path) -> None:
    small.clone("since")
    psql = f"{small.server.clients.psql} -Xqc \"INSERT INTO people VALUES (9999, 'late', NULL)\""
    wrapper = script(tmp_path / "late", f'#!/bin/sh\n{psql} && exec {small.server.clients.pg_dump} -Fc "$@"\n')
    before = {name: os.environ.get(name) for name in small.server.environment("since")}
    os.environ.update(small.server.environment("since"))
    try:
        taken = take_backup(
            small.source("since"),
            tmp_path / "sets",
            application="small",
            sites_data=None,
            guardian=small.guardian,
            job=Job.of([str(wrapper), "--snapshot={snapshot}", "--file={dump}"]),
        )
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    assert manifest_of(taken).tables[PEOPLE] == 2000
    assert small.count("people", "since") == 2001
    small.server.create_database("then")
    restore = [small.server.clients.pg_restore, "--dbname=then", taken / f"{taken.name}.dump"]
    subprocess.run(restore, env=small.server.environment("then"), check=True)
    assert small.count("people", "then") == 2000


def test_a_format_that_is_not_known_yet_is_told_apart(small: Small, tmp_path: Path) -> None:
    fields = manifest_of(backed_up(small, tmp_path)).model_dump(mode="json")
    first = {key: value for key, value in fields.items() if key != "contents"} | {"format": 1}
    assert Manifest.model_validate(first).contents is None
    with pytest.raises(ValueError, match="format"):
        Manifest.model_validate(fields | {"format": 3})


def test_a_file_of_shares_that_is_not_whole_is_named_as_such(small: Small, tmp_path: Path) -> None:
    taken = backed_up(small, tmp_path / "sets", profile(tmp_path))
    file = taken / manifest_of(taken).files["shares"].name
    content = file.read_bytes()
    for spoiled, says in {
        content[:-20]: "breaks off",
        b"not gzip at all": "breaks off or is damaged after line 0",
        content[:200] + bytes(40) + content[240:]: "damaged|line 1",
    }.items():
        file.write_bytes(spoiled)
        with pytest.raises(SharesUnreadable, match=says) as refusal:
            list(read_shares(file))
        assert "Quillfeather" not in str(refusal.value)


@pytest.mark.parametrize("line", ['no_manifest = "pgBackRest restores the cluster as it was"', 'no_manifest = "no"'])
def test_no_manifest_and_a_required_manifest_contradict_each_other(tmp_path: Path, line: str) -> None:
    text = PROFILE.replace('required = ["dump"]', f'required = ["dump", "manifest"]\n{line}')
    with pytest.raises(ProfileError, match=r"backup(\.no_manifest)?: (no_manifest says|give a reason)"):
        profile(tmp_path, text)


def test_the_source_is_never_written_to(small: Small, tmp_path: Path) -> None:
    """The whole of it is read in one read-only transaction."""
    with small.server.connect("source") as connection:
        row = connection.execute("SELECT pg_current_xact_id()").fetchone()
        backed_up(small, tmp_path / "sets", profile(tmp_path))
        after = connection.execute("SELECT pg_current_xact_id()").fetchone()
    assert row is not None
    assert after is not None
    assert int(after[0]) - int(row[0]) == 1
