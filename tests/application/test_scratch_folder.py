"""What the application writes of its own lies in {scratch}, which it finds empty, and is gone with the drill."""

import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg

from fixtures.profile.reading import read_profile
from fixtures.record.progress import silent
from fixtures.story.drill import Drill
from tests.support.application_under_test import Bench
from tests.support.drills import PROFILE
from tests.support.short_drills import an_order
from tests.support.spoiled_sets import replace_in

WRITES = """
import os, pathlib
_uploads = pathlib.Path(os.environ["MEDIA_ROOT"])
print("found", sorted(each.name for each in _uploads.iterdir()))
(_uploads / "2026").mkdir()
(_uploads / "2026" / "letter.txt").write_text("Dear customer")
"""


def test_it_finds_an_empty_folder_and_what_it_writes_there_is_gone_with_the_drill(
    place: Bench, restored: psycopg.Connection, checkout: Path, tmp_path: Path
) -> None:
    restored.close()
    copy = Path(shutil.copytree(PROFILE, tmp_path / "profile"))
    replace_in(
        copy / "profile.toml", {'STATIC_ROOT = "{static}"': 'STATIC_ROOT = "{static}"\nMEDIA_ROOT = "{scratch}"'}
    )
    with (checkout / "igny8_core" / "settings.py").open("a") as settings:
        settings.write(WRITES)
    order = replace(an_order(tmp_path, checkout, PROFILE, place.guardian), profile=read_profile(copy))
    with ExitStack() as stack:
        interpreter = Drill(order, stack, lambda _: silent).application_on(place.server, "migrated")
        folder = Path(interpreter.environment()["MEDIA_ROOT"])
        done = interpreter.manage("diffsettings", limit=60)
        assert (done.returncode, done.stdout[0]) == (0, "found []"), done.stderr
        assert (folder / "2026" / "letter.txt").read_text() == "Dear customer"
    assert not folder.parent.exists()
