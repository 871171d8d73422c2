"""What a release leaves behind when it is taken back, and what keeps its stages from looking, is told and raises nothing."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from fixtures.application.checkout import find_checkout
from fixtures.application.clones import marked_clone
from fixtures.application.interpreter import Interpreter
from fixtures.application.login import Login
from fixtures.application.migrate import migrate
from fixtures.database.catalogue import take_facts
from fixtures.record.release.comparison import Comparison
from fixtures.record.release.previous import Previous
from fixtures.record.release.reversal import Reversal
from fixtures.record.stage import StageBlocked
from fixtures.release.compare import FROM_ZERO, compare, read_changed
from fixtures.release.previous import try_previous
from fixtures.release.previous_code import find_previous
from fixtures.release.reverse import THERE_AND_BACK, Before, reverse
from tests.support.application_under_test import APPLICATION, Bench, copy_of_the_sample, new_migration

SECONDS = 120
LEAVES = """
    migrations.RunSQL("CREATE INDEX left_behind ON igny8_tags (name)", ""),
    migrations.RunSQL("UPDATE igny8_tags SET name = name || 'x' WHERE id = 1", ""),
    migrations.RunPython(lambda apps, schema: apps.get_model("igny8", "Tenant").objects.get(pk=1), lambda apps, schema: None)
"""

# KeyError where an application's worth of objects is out of what Python looks through.
LOOKS = """
    migrations.RunPython(
        lambda *_: {"looks": 0}["looks" if __import__("gc").get_freeze_count() < 20_000 else "does not"], lambda *_: None
    )
"""


def on(place: Bench, checkout: Path, database: str, folder: Path) -> Interpreter:
    private = folder / database
    private.mkdir(mode=0o700)
    code = find_checkout(checkout, APPLICATION, Path(sys.executable))
    return Interpreter(code, APPLICATION, Login.of(place.server, database), place.guardian, private)


def masked(text: str) -> str:
    return f"masked {len(text)}"


def try_release(place: Bench, checkout: Path, folder: Path) -> tuple[Comparison, Reversal]:
    server = place.server
    with place.restored() as connection:
        connection.close()
        done = migrate(server, on(place, checkout, "migrated", folder), SECONDS).migrated
        with server.connect("restored") as before, server.connect("migrated") as after:
            facts = take_facts(before), take_facts(after)
        try:
            empty = marked_clone(server, FROM_ZERO, "template0")
            changed = read_changed(server, partial(server.reading, "restored"), *facts)
            comparison = compare(server, on(place, checkout, FROM_ZERO, folder), empty, changed, masked, SECONDS)
            clone = marked_clone(server, THERE_AND_BACK, "migrated")
            application = on(place, checkout, THERE_AND_BACK, folder)
            reading = partial(server.reading, "restored")
            was = Before(changed.was, None, reading, reading)
            return comparison, reverse(server, application, clone, was, done.applied, masked, SECONDS)
        finally:
            server.drop_database(FROM_ZERO)
            server.drop_database(THERE_AND_BACK)


@pytest.mark.further
def test_what_going_back_leaves_behind_is_told_and_so_is_code_that_needs_rows(place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_leaves", LEAVES)
    comparison, reversal = try_release(place, checkout, tmp_path)
    assert comparison.from_zero_problem == "igny8.0010_leaves: DoesNotExist"
    assert (comparison.drift, comparison.dropped) == ((), ())
    assert [each.against("before") for each in comparison.changes] == [
        "column public.igny8_sites.locale: before none, here character varying(12), not null",
        "index public.igny8_content.igny8_content_title_trgm: before none, here USING gin (title public.gin_trgm_ops)",
        "index public.igny8_tags.left_behind: before none, here USING btree (name)",
    ]
    assert reversal.taken_back[-1] == "igny8.0010_leaves"
    assert (reversal.kept, reversal.irreversible, reversal.back_problem) == ((), {}, "")
    assert [each.against("before") for each in reversal.back_schema] == [
        "index public.igny8_tags.left_behind: before none, here USING btree (name)"
    ]
    assert [str(name) for name in reversal.back_rows] == ["public.igny8_tags"]
    assert reversal.back_columns == {reversal.back_rows[0]: ("name",)}
    assert reversal.forth_problem == (
        'igny8.0010_leaves: ProgrammingError (DuplicateTable): relation "left_behind" already exists'
    )


@pytest.mark.further
def test_nothing_imported_is_looked_through_while_migrations_run_that_nobody_times(
    place: Bench, tmp_path: Path
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_looks", LOOKS)
    comparison, _ = try_release(place, checkout, tmp_path)
    assert comparison.from_zero_problem == "igny8.0010_looks: KeyError"


@pytest.mark.further
def test_a_reverse_that_fails_is_named_and_what_cannot_be_undone_stays(place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    hidden = 'migrations.SeparateDatabaseAndState(database_operations=[migrations.RunSQL("SELECT 1")])'
    new_migration(checkout, "0010_hides_it", hidden)
    new_migration(checkout, "0011_fails", 'migrations.RunSQL("SELECT 1", "SELECT 1 / 0")', after="0010_hides_it")
    _, reversal = try_release(place, checkout, tmp_path)
    assert reversal.irreversible == {"igny8.0010_hides_it": ("Raw SQL operation",)}
    assert (reversal.kept[-1], reversal.taken_back) == ("igny8.0010_hides_it", ("igny8.0011_fails",))
    assert reversal.back_problem == "igny8.0011_fails: DataError (DivisionByZero)"


@pytest.mark.further
def test_the_release_before_may_be_a_commit_and_is_told_when_it_does_not_start(place: Bench, tmp_path: Path) -> None:
    checkout, folder = copy_of_the_sample(tmp_path), tmp_path / "private"
    folder.mkdir()
    git(checkout, "init", "-q")
    git(checkout, "add", ".")
    git(checkout, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "one")
    git(checkout, "tag", "v1")
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text("import never_installed\n")
    release = find_checkout(checkout, APPLICATION, Path(sys.executable))
    code = find_previous("v1", APPLICATION, release, place.guardian, folder)
    assert (code.source, code.checkout.python) == ("commit v1 of the application", release.python)
    assert previous_of(place, code.checkout.path, tmp_path / "one").problem == ""
    broken = previous_of(place, checkout, tmp_path / "two")
    assert broken.problem == "the application does not start: ModuleNotFoundError: No module named 'never_installed'"
    for wrong in ("v2", "--upload-pack=x"):
        with pytest.raises(StageBlocked) as blocked:
            find_previous(wrong, APPLICATION, release, place.guardian, folder)
        assert "PREVIOUS" in blocked.value.fix


def previous_of(place: Bench, checkout: Path, folder: Path) -> Previous:
    """How a checkout gets on with the dump's own schema."""
    folder.mkdir()
    release = find_checkout(checkout, APPLICATION, Path(sys.executable))
    code = find_previous(str(checkout), APPLICATION, release, place.guardian, folder)
    token = marked_clone(place.server, "previous", "dumped")
    try:
        return try_previous(on(place, checkout, "previous", folder), token, code, SECONDS)
    finally:
        place.server.drop_database("previous")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
