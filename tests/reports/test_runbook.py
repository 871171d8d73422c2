"""runbook.md: the guide's recovery for the very set, in commands that a shell takes as they stand."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.set_record import Artefact
from reports.runbook import write_up
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support import record_examples

DRILLS = (examples.verified, examples.failed, examples.inconclusive)
ODD = 'it\'s; $(touch owned) `x` "q".dump'


def blocks(evidence: Evidence) -> list[str]:
    return re.findall(r"^(`{3,})sh\n(.*?)\n\1$", write_up(Story(evidence)), re.DOTALL | re.MULTILINE)


def commands(evidence: Evidence) -> str:
    return "\n".join(block for _, block in blocks(evidence))


@pytest.mark.parametrize("drill", DRILLS)
def test_every_block_is_shell(drill) -> None:
    for _, block in blocks(drill()):
        assert subprocess.run(["bash", "-n", "-c", block], capture_output=True, text=True).stderr == ""


@pytest.mark.parametrize("drill", DRILLS)
def test_steps_come_in_the_order_of_the_guide(drill) -> None:
    text = commands(drill())
    order = (
        'systemctl stop "$BACKEND" "$WORKER" "$BEAT"',
        "sha256sum --check",
        f'psql -X -v ON_ERROR_STOP=1 -d postgres -f "$BACKUP_SET"/{record_examples.STEM}.roles.sql',
        "createdb",
        "pg_restore -c",
        f'"$BACKUP_SET"/{record_examples.STEM}.dump',
        f'tar -xzpf "$BACKUP_SET"/{record_examples.STEM}.sites.tar.gz',
        "manage.py migrate",
        'systemctl start "$BACKEND"',
    )
    places = [text.index(step) for step in order]
    assert places == sorted(places)


def test_each_step_carries_the_time_that_the_drill_measured() -> None:
    text = write_up(Story(examples.verified()))
    for line in (
        "Measured: 58.1 s for 935.8 MiB with 2 jobs",
        "Measured: 4.4 s",
        "Measured: 8.4 s for reading 4,120 files",
    ):
        assert line in text
    assert "Measured: 22.6 s, of which 20.3 s for 3 migrations" in text
    steps = re.findall(r"^## [1-9]", text, re.MULTILINE)
    assert len(re.findall(r"^(?:Measured: |Not measured)", text, re.MULTILINE)) == len(steps)


def test_step_that_was_not_measured_says_why() -> None:
    text = write_up(Story(examples.inconclusive()))
    assert 'Not measured, because restore failed: extension "postgis" is not on this server' in text
    assert text.count("Not measured, because") >= 5


@pytest.mark.parametrize("drill", [examples.failed, examples.inconclusive])
def test_first_line_forbids_promotion_unless_verified(drill) -> None:
    evidence = drill()
    first = write_up(Story(evidence)).splitlines()[0]
    assert first.startswith(f"**Do not promote this backup: the drill's verdict is {evidence.verdict}")
    assert "Do not promote" not in write_up(Story(examples.verified()))


def test_settings_are_queries_of_and_checked() -> None:
    settings = blocks(examples.verified())[0][1]
    empty = subprocess.run(["bash", "-c", settings], capture_output=True, text=True)
    assert empty.returncode != 0
    assert "PGHOST" in empty.stderr
    filled = settings.replace("=''", "='x'")
    assert (
        subprocess.run(["bash", "-c", filled], capture_output=True, text=True).stdout == "every setting has a value\n"
    )


def test_check_of_the_files_accepts_the_set_and_refuses_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / ODD).write_bytes(b"dump")
    digest = hashlib.sha256(b"dump").hexdigest()
    check = next(block for _, block in blocks(_set_with(ODD, digest)) if "sha256sum" in block)
    run = ["bash", "-c", f'cd / && BACKUP_SET="{tmp_path}"\n{check}']
    assert subprocess.run(run, capture_output=True).returncode == 0
    (tmp_path / ODD).write_bytes(b"dumb")
    assert subprocess.run(run, capture_output=True).returncode != 0
    assert [path.name for path in tmp_path.iterdir()] == [ODD]


def test_sites_data_is_put_back_beside_what_was_there(tmp_path: Path) -> None:
    for name, text in (("set", "new"), ("data", "old")):
        (tmp_path / name / "sites-data").mkdir(parents=True)
        (tmp_path / name / "sites-data" / "page.html").write_text(text)
    archive = f"{record_examples.STEM}.sites.tar.gz"
    subprocess.run(["tar", "-czf", archive, "sites-data"], cwd=tmp_path / "set", check=True)
    block = next(block for _, block in blocks(examples.verified()) if "tar -xzpf" in block)
    script = f'BACKUP_SET="{tmp_path}/set"; SITES_PARENT="{tmp_path}/data"\n{block}'
    subprocess.run(["bash", "-ec", script], check=True)
    assert (tmp_path / "data" / "sites-data" / "page.html").read_text() == "new"
    set_aside = [path for path in (tmp_path / "data").iterdir() if path.name.startswith("sites-data.before-")]
    assert [(path / "page.html").read_text() for path in set_aside] == ["old"]


def test_unsafe_archive_is_warned_of() -> None:
    sites = examples.verified().record.sites.model_copy(update={"unsafe_total": 2})
    text = write_up(Story(examples.evidence([examples.result("BAK-01")], record=record_examples.record(sites=sites))))
    assert "Do not unpack it: it holds 2 unsafe entries" in text


def test_drill_without_a_set_still_gives_a_runbook() -> None:
    lost = record_examples.record(
        backup_set=None, header=None, stages=record_examples.stages("locate", "no backup set found")
    )
    first, *rest = write_up(
        Story(examples.evidence([examples.result("BAK-01", outcome="blocked")], record=lost))
    ).split("\n")
    assert first.startswith("**Do not promote")
    assert "No backup set was drilled" in "\n".join(rest)


def _set_with(name: str, digest: str) -> Evidence:
    file = Artefact(role="dump", name=name, size=4, sha256=digest, mode=0o100600, owner="backup")
    backup_set = record_examples.backup_set().model_copy(update={"artefacts": (file,)})
    return examples.evidence([examples.result("BAK-01")], record=record_examples.record(backup_set=backup_set))
