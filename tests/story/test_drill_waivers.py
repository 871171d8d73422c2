"""A waiver accepts one failure until a date, and an exemption what does not exist; neither hides anything else."""

import json
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from fixtures.checks.drilled import Drilled
from fixtures.profile.reading import read_profile
from tests.support.controls_in_process import try_controls
from tests.support.drills import Drill, Drilling, Healthy, programs_that_do_not_run
from tests.support.profiles import profile_and
from tests.support.short_drills import Standing

BALANCE_OFF = "UPDATE igny8_tenants SET credits_balance = credits_balance + 1 WHERE id = 2"
# Two balances; the balances after two entries of one ledger; one invoice.
BEYOND = f"""
    {BALANCE_OFF.replace("id = 2", "id IN (2, 3)")};
    UPDATE igny8_credit_ledger SET balance_after = balance_after + 0.001 WHERE tenant_id = 2 AND entry_no = 10;
    UPDATE igny8_invoices SET total = total + 0.01 WHERE id = 36;
"""
FILES = ("FIL-01", "FIL-02", "FIL-03", "FIL-04")
REASON = "known since the move; the customer was told"


def waiver(control: str, subject: str, until: date | None = None, bound: str = "at_most = 1") -> str:
    """One that ends when it is told to, else in a month."""
    return (
        f'[[waiver]]\ncontrol = "{control}"\nsubject = "{subject}"\n{bound}\nreason = "{REASON}"\n'
        f'owner = "billing team"\nticket = "OPS-211"\n'
        f'approved_by = "head of platform"\nuntil = {until or today() + timedelta(days=30)}\n'
    )


def today() -> date:
    return datetime.now(UTC).date()


def documents(seen: Drill) -> dict[str, str]:
    return {name: (seen.directory / name).read_text() for name in ("index.html", "summary.md", "junit.xml")}


def test_a_waived_failure_is_verified_and_told(healthy: Healthy, tmp_path: Path, drilling: Drilling) -> None:
    healthy.backup(tmp_path / "backups", BALANCE_OFF)
    until = today() + timedelta(days=7)
    profile = profile_and(tmp_path, waiver("BIL-02", "credits", until))
    seen = drilling(tmp_path / "backups", tmp_path / "out", profile=profile, planted=BALANCE_OFF)
    assert (seen.exit_code, seen.evidence.verdict) == (0, "VERIFIED"), seen.output
    assert seen.with_outcome("waived") == {"BIL-02": ["credits"]}
    (excepted,) = seen.result("BIL-02", "credits").excepted
    assert (excepted.what, excepted.count, excepted.at_most, excepted.reason) == ("waiver", 1, 1, REASON)
    told = seen.result("BIL-02", "credits").waiver
    assert told is not None
    assert (told.reason, told.approved_by, told.until) == (REASON, "head of platform", until.isoformat())
    assert (told.owner, told.ticket) == ("billing team", "OPS-211")
    assert "1 waived" in seen.evidence.headline
    assert "waived" in seen.output
    assert all(REASON in text for name, text in documents(seen).items() if name != "junit.xml")


@pytest.mark.parametrize(("left", "outcome"), [(0, "waived"), (-1, "failed")])
def test_every_check_is_judged_by_the_day_on_which_the_drill_began(
    left: int, outcome: str, standing: Standing, tmp_path: Path
) -> None:
    """Its waiver holds for its whole last day, and for a drill that goes on past it."""
    taken = standing.record.backup_set
    assert taken is not None
    assert taken.taken_at is not None
    day = taken.taken_at.date() + timedelta(days=30)
    began = datetime.combine(day, time(23, 59, 59), UTC)
    until = day + timedelta(days=left)
    source = read_profile(profile_and(tmp_path, waiver("BAK-04", "whole", until, bound='says = "and the RPO is 26 h"')))
    late = Drilled.of_record(standing.record.model_copy(update={"started_at": began}), source)
    evidence, *_ = try_controls(late, None, only=("test_backup_set.py",))
    (result,) = (each for each in evidence.results if each.control == "BAK-04")
    assert result.outcome == outcome, result.message
    assert (f"its waiver ended on {until}" in result.message) == (outcome == "failed")
    assert [(each.control, each.waiver.days_left(day)) for each in evidence.running_out if each.waiver] == (
        [("BAK-04", 0)] if outcome == "waived" else []
    )


@pytest.mark.further
def test_a_waiver_that_no_longer_covers_and_one_that_nothing_needs_fail_and_say_so(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    """A second row goes wrong, which neither a count nor the keys of the first accept; another waiver's day is over."""
    healthy.backup(tmp_path / "backups", BEYOND)
    yesterday = today() - timedelta(days=1)
    profile = profile_and(
        tmp_path,
        f'[exempt]\nBIL-06 = "{REASON}"\nTEN-02 = "{REASON}"\n"FIL-*" = "{REASON}"\n\n'
        + waiver("BIL-01", "credits", bound='keys = ["id=334"]')
        + waiver("BIL-02", "credits")
        + waiver("BIL-02", "credit", today() - timedelta(days=9))
        + waiver("BIL-03", "invoices", yesterday)
        + waiver("BIL-51", "whole")
        + waiver("MIG-05", "whole"),
    )
    seen = drilling(tmp_path / "backups", tmp_path / "out", profile=profile, planted=BEYOND)
    expected = {"BIL-01", "BIL-02", "BIL-03", "BIL-06", "BIL-51", "MIG-05", "TEN-02", *FILES}
    assert (seen.exit_code, set(seen.red)) == (1, expected), seen.output
    assert sorted(seen.red["BIL-02"]) == ["credit", "credits"]
    for control, subject, message in (
        ("BIL-01", "credits", "(1 of them are not among the 1 keys of its waiver)"),
        ("BIL-02", "credits", "(its waiver accepts at most 1)"),
        ("BIL-03", "invoices", f"its waiver ended on {yesterday}"),
    ):
        assert message in seen.result(control, subject).message
    for control in ("BIL-51", "MIG-05"):
        assert seen.result(control).message == "holds, so nothing needs its waiver any more: remove the waiver"
    slip = seen.result("BIL-02", "credit")
    assert slip.message.startswith("nothing needs this waiver: BIL-02 has no such subject, it is tried on credits;")
    assert slip.waiver is not None
    for control in ("BIL-06", "TEN-02", *FILES):
        for subject in seen.red[control]:
            assert "remove the exemption" in seen.result(control, subject).message
    assert seen.evidence.completeness.whole
    assert all("has no such subject" in text for text in documents(seen).values())


@pytest.mark.further
def test_an_exemption_with_nothing_to_try_is_told_as_not_shown(
    whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    profile = profile_and(tmp_path, f'[exempt]\nBIL-06 = "{REASON}"\nBIL-17 = "{REASON}"\n"FIL-*" = "{REASON}"\n')
    file = profile / "profile.toml"
    text = file.read_text()
    start = text.index("[[period]]")
    text = text[:start] + text[text.index("[[money]]", start) :]
    files = text.index("[[files]]")
    file.write_text(text[:files] + text[text.index("[exempt]", files) :])
    seen = drilling(whole_set.parent, tmp_path / "out", profile=profile)
    assert (seen.exit_code, seen.evidence.verdict) == (0, "VERIFIED"), seen.output
    exempt = ("BAK-10", "BAK-11", "BIL-06", "BIL-17", "BIL-18", "MIG-08", "TEN-17", "TEN-18", *FILES)
    assert seen.with_outcome("exempt") == {one: ["not-enumerated"] for one in exempt}
    (line,) = (each for each in seen.evidence.not_shown if "not tried" in each)
    assert line.startswith("BAK-10, BAK-11, BIL-06, BIL-17, BIL-18, FIL-* were not tried: ")
    assert line in (seen.directory / "index.html").read_text()


@pytest.mark.further
def test_a_waiver_for_what_could_not_be_enumerated_waits(whole_set: Path, standing: Standing, tmp_path: Path) -> None:
    """Nobody can say that a subject is not there when a stage left nothing: the stage is what is told."""
    unfit = programs_that_do_not_run(tmp_path / "no-programs")
    profile = profile_and(tmp_path, waiver("TEN-02", "public.igny8_tasks.igny8_tasks_some_fk"))
    seen = standing.drill(whole_set.parent, tmp_path / "out", profile=profile, binaries=unfit)
    assert (seen.exit_code, seen.red) == (2, {}), seen.output


@pytest.mark.further
def test_an_area_without_anything_is_exempt_as_a_whole_and_never_beside_files(
    whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    """SIT controls are tried on the whole archive: only by trying them it is seen that there is none."""
    profile = profile_and(tmp_path, f'[exempt]\n"SIT-*" = "{REASON}"\n')
    file = profile / "profile.toml"
    text = file.read_text()
    text = text[: text.index("[sites]")] + text[text.index("\n[exempt]\n") :]
    file.write_text(text.replace('"sites", ', "").replace("[exempt]", f'[exempt]\n"FIL-*" = "{REASON}"', 1))
    seen = drilling(whole_set.parent, tmp_path / "beside", profile=profile)
    assert (seen.exit_code, {control[:3] for control in seen.red}) == (1, {"SIT"}), seen.output
    assert {"SIT-01", "SIT-02", "SIT-03", "SIT-10", "SIT-11"} <= seen.red.keys()
    assert "remove the exemption" in seen.result("SIT-01").message
    assert "files lie in the archive where no [[files]] of the profile reads" in seen.result("SIT-03").message

    bare = shutil.copytree(whole_set, tmp_path / "bare" / whole_set.name)
    for archive in bare.glob("*sites*"):
        archive.unlink()
    manifest = next(bare.glob("*.manifest.json"))
    stated = json.loads(manifest.read_text())
    del stated["files"]["sites"]
    manifest.write_text(json.dumps(stated))
    seen = drilling(bare.parent, tmp_path / "without", profile=profile)
    assert not {control for control in seen.red | seen.blocked if control[:3] == "SIT"} - {"SIT-08"}, seen.output
    assert {"SIT-01", "SIT-02", "SIT-03", "SIT-11"} <= seen.with_outcome("exempt").keys()
