"""A profile is checked on a restored set without a drill: each line's effect, with the line that it stands on."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from fixtures.checks.drilled import Drilled
from fixtures.commands.checking.__main__ import main, print_remarks
from fixtures.commands.checking.check import remarks
from fixtures.commands.drafting.counts import Questions
from fixtures.database.reconcile import reconcile
from fixtures.profile.reading import read_profile
from tests.support.drills import PROFILE
from tests.support.short_drills import Standing
from tests.support.short_drills import standing as template

TODAY = date(2026, 1, 1)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROFILE, tmp_path / "igny8")) / "profile.toml"


def checked(standing: Standing, profile: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Its exit code, and what it prints of the restored database that stands."""
    source = read_profile(profile)
    facts = standing.record.facts
    assert facts is not None
    problems = reconcile(source.profile, facts, str(source.path)).problems
    record = standing.record.model_copy(
        update={"migrated_facts": facts, "profile_problems": problems, "profile_path": str(source.path)}
    )
    with standing.server.reading(template("restored")) as session:
        code = print_remarks(source, remarks(Drilled.of_record(record, source), Questions(session), TODAY))
    return code, capsys.readouterr().out.replace("public.", "")


def test_a_sound_profile_is_told_with_what_each_line_does(
    standing: Standing, profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = checked(standing, profile, capsys)
    assert code == 0, text
    assert "tables (" in text
    assert " shared), 0 left" in text
    for words in ("ledger 'credits': ", "tried by BIL-01", "examines ", "settles igny8_plans", " 0 wrong, "):
        assert words in text, text
    line = 1 + profile.read_text().splitlines().index('root = "igny8_tenants"')
    assert f"{profile}:{line}: tenancy.root: " in text


def test_what_is_wrong_idle_or_blind_is_told_by_its_line(
    standing: Standing, profile: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = profile.read_text()
    text = text.replace('auth_group = "', "#", 1).replace('auth_permission = "', 'auth_permision = "', 1)
    text = text.replace('column = "kind"', 'column = "kinds"')
    text = text.replace(
        "BIL-18 = ", 'BIL-06 = "it has a subject"\nBIL-02 = "its ledger does not fit"\nBIL-99 = "a slip of the pen"\n#'
    )
    text += '\n[tenancy.ownerless]\nigny8_content = { at_most = 3, reason = "no row of the sample is so" }\n'
    profile.write_text(text)
    code, told = checked(standing, profile, capsys)
    lines = text.splitlines()

    def place(beginning: str) -> str:
        return f"{profile}:{1 + next(at for at, line in enumerate(lines) if line.startswith(beginning))}: "

    assert code == 1
    for beginning, words in (
        (
            'column = "kinds"',
            "wrong: ledger 'credits'.kinds.column: no column kinds in igny8_credit_ledger; did you mean kind?",
        ),
        ("BIL-06", "wrong: exempt.BIL-06: there is something to try BIL-06 on"),
        ("BIL-02", "leaves untried: exempt.BIL-02: whether there is anything to try BIL-02 on is not known: "),
        ("BIL-99", "wrong: exempt.BIL-99: there is no such control; did you mean BIL-"),
        ("[exempt]", "leaves untried: exempt: BIL-18 "),
        ("auth_permision", "tenancy.shared: no table auth_permision"),
        ("igny8_content = ", "no effect: tenancy.ownerless igny8_content: 0 of "),
        ('root = "igny8_tenants"', "leaves untried: tenancy.root: auth_permission ("),
        ('root = "igny8_tenants"', "tenancy.root: not yet placed, and no line is needed while they hold no row"),
    ):
        assert place(beginning) + words in told, told


@pytest.mark.further
def test_a_set_is_restored_for_it_and_kept(whole_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep = str(tmp_path / "kept")
    for _ in range(2):
        assert main(["igny8", "--backups", str(whole_set.parent), "--restore-cache", keep]) == 0
        assert " 0 wrong, 0 leave something untried" in capsys.readouterr().out
    assert any((tmp_path / "kept").iterdir())


def test_a_wrong_call_and_a_set_that_is_not_there_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as wrong:
        main(["igny8"])
    assert wrong.value.code == 4
    assert main(["igny8", "--backups", str(tmp_path)]) == 2
