"""What is there is kept before it is replaced: by its rename, or as a whole backup set besides, which is taken first."""

import tarfile
from argparse import Namespace
from pathlib import Path

import pytest

from fixtures.commands.backup import Source
from fixtures.commands.recovering.keep import FOLDER, KeepsSet, keeping
from fixtures.commands.recovering.set_at_hand import AtHand
from fixtures.profile.reading import ReadProfile
from fixtures.record.manifest import Manifest
from fixtures.record.set_files import set_files
from fixtures.record.set_record import BackupSet
from fixtures.recovery.journal import read_journal
from fixtures.recovery.refused import RecoveryRefused
from fixtures.recovery.whole.loading import Loader
from tests.support import record_examples
from tests.support.recovered_shop import PROFILE
from tests.support.small_recovery import Tiny, ended_at

NEW, OLD = ("recovered", "recovered"), ("old", "old")


@pytest.fixture
def kept(tiny: Tiny) -> Path:
    """The application, of which a set is taken, and the folder that it goes to."""
    into = tiny.folder / "backups" / FOLDER
    into.parent.mkdir()
    tiny.keep = KeepsSet(
        source=Source(tiny.production.settings),
        into=into,
        application="tiny",
        plan=tiny.plan(),
        profile=ReadProfile("tiny", into, into, "", PROFILE),
        seal=None,
        pg_dump=tiny.server.clients.pg_dump,
        guardian=tiny.guardian,
        say=tiny.said.append,
    )
    return into


def sets(kept: Path) -> list[Path]:
    return sorted(path for path in kept.iterdir() if not path.name.endswith(".lock")) if kept.exists() else []


def test_a_set_of_what_is_there_is_taken_first_and_told_before_the_yes(tiny: Tiny, kept: Path) -> None:
    assert tiny.recover()
    assert tiny.mark == NEW
    (folder,) = sets(kept)
    lines = read_journal(tiny.journal)
    steps = [f"{line['step']} {line['state']}" for line in lines]
    assert steps[steps.index("look done") :][:4] == ["look done", "keep begun", "keep done", "drill begun"]
    assert lines[steps.index("keep done")]["set"] == str(folder)
    # A drill that looks for the newest set there does not see it; one that is told its folder does.
    assert set_files(kept.parent, "")[0] == []
    assert [each.stem for each in set_files(kept, "")[0]] == [folder.name]
    manifest = Manifest.model_validate_json((folder / f"{folder.name}.manifest.json").read_bytes())
    # What the old one had: of 20 notes a tenant's were deleted, and one was written since.
    assert {str(table): rows for table, rows in manifest.tables.items()} == {"public.notes": 15, "public.tenants": 3}
    with tarfile.open(folder / manifest.files["sites"].name) as archive:
        mark = archive.extractfile("sites-data/mark")
        assert mark is not None
        assert mark.read() == b"old\n"
    asked = tiny.said.index(f"  the backup set {folder}")
    plan = tiny.plan()
    assert tiny.said[asked - 3 : asked] == [
        "What is there now is kept, to be removed by you after 3 days:",
        f"  the database tiny, which will be called {plan.aside}",
        f"  the folder {tiny.sites}, which will be called {plan.folders[0].aside}",
    ]
    assert tiny.said[-1] == f"  the backup set {folder}"


def test_without_a_set_it_is_told_that_the_rename_alone_keeps_it(tiny: Tiny) -> None:
    tiny.yes = False
    assert not tiny.recover()
    assert "  no backup set of it was taken: KEEP=set takes one" in tiny.said


def test_a_set_that_cannot_be_taken_ends_the_recovery_and_nothing_was_changed(tiny: Tiny, kept: Path) -> None:
    kept.touch()
    with pytest.raises(RecoveryRefused, match=r"(?s)no backup set of what is there could be taken: .*KEEP=rename"):
        tiny.recover()
    assert (tiny.mark, tiny.starts, kept.read_bytes()) == (OLD, ["old old"], b"")
    assert tiny.running.exists()
    assert "drill begun" not in [f"{line['step']} {line['state']}" for line in read_journal(tiny.journal)]


def test_a_set_that_would_lie_in_clear_beside_an_encrypted_one_is_refused(tiny: Tiny) -> None:
    found = record_examples.record().backup_set
    assert found is not None
    sealed = found.model_copy(
        update={"artefacts": tuple(each.model_copy(update={"cipher": "age"}) for each in found.artefacts)}
    )
    loader = Loader(tiny.server.clients.pg_restore, tiny.guardian)
    profile = ReadProfile("tiny", tiny.folder, tiny.folder, "", PROFILE)
    chosen = Namespace(keep="set", keep_into=tiny.folder, encrypt_to=[], postgres_bin=None)

    def taking(one: BackupSet) -> KeepsSet | None:
        source = Source(tiny.production.settings)
        return keeping(chosen, tiny.plan(), profile, source, AtHand(tiny.backup, one, loader), tiny.said.append)

    assert taking(found) is not None
    with pytest.raises(RecoveryRefused, match="is encrypted, and a set of what is there would lie in clear"):
        taking(sealed)
    chosen.keep = "rename"
    assert taking(sealed) is None


def test_a_folder_that_is_gone_is_told_and_the_database_is_kept(tiny: Tiny, kept: Path) -> None:
    (tiny.sites / "mark").unlink()
    tiny.sites.rmdir()
    assert tiny.recover()
    assert f"There is no folder {tiny.sites}: the set of what is there has none of it." in tiny.said
    (folder,) = sets(kept)
    assert not list(folder.glob("*.sites.*"))


def test_a_rehearsal_takes_no_set(tiny: Tiny, kept: Path) -> None:
    assert tiny.recover(rehearse=True)
    assert sets(kept) == []


@pytest.mark.parametrize("back", [False, True], ids=["on", "back"])
@pytest.mark.parametrize("line", [6, 7], ids=["keep begun", "keep done"])
def test_what_was_killed_about_the_set_goes_on_or_back_whole(tiny: Tiny, kept: Path, line: int, back: bool) -> None:
    assert ended_at(tiny, line, lambda each, at: each.recover(ended_at=at))
    lines = read_journal(tiny.journal)
    assert (lines[-1]["step"], lines[-1]["state"]) == ("keep", "begun" if line == 6 else "done")
    assert tiny.resume(back=back)
    assert tiny.mark == (OLD if back else NEW)
    assert tiny.starts == [" ".join(tiny.mark)]
    # One that goes on takes another: nobody knows what ran meanwhile.
    assert len(sets(kept)) == (line == 7) + (not back)
    assert not list(kept.glob(".*.partial"))
