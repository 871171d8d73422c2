"""A drill is judged by the profile that it recorded, whatever becomes of the files while it runs."""

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.support.drills import PROFILE
from tests.support.watched_drill import watched_drill

RULE = "rules/usage-matches-ledger.sql"


@pytest.mark.whole
def test_a_profile_that_changes_during_a_drill_changes_nothing(whole_set: Path, tmp_path: Path) -> None:
    profile = Path(shutil.copytree(PROFILE, tmp_path / "igny8"))
    before = (profile / "profile.toml").read_text()
    with watched_drill(whole_set.parent, tmp_path, workers=2, profile=profile) as watched:
        watched.wait_for("manage.py migrate")
        (profile / "profile.toml").write_text(before.replace("rto_minutes = 60", "rto_minutes = 0.0001"))
        (profile / RULE).write_text((profile / RULE).read_text().replace("BIL-51", "BIL-52").replace("<> 0", "= 0"))
        (profile / "pages.sql").write_text("SELECT nothing")
        drill = watched.end()
    assert drill.red == {}
    assert drill.blocked == {}
    assert drill.evidence.verdict == "VERIFIED"
    assert drill.evidence.record.profile_sha256 == hashlib.sha256(before.encode()).hexdigest()
    assert {measure.name: measure.target for measure in drill.evidence.measures}["RTO"] == 60
    assert drill.result("BIL-51").outcome == "passed"
