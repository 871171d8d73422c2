"""What is asked of a drill wrongly is refused before anything starts; what is asked of it in part is never verified."""

import contextlib
import io
import subprocess
import tempfile
from pathlib import Path

import pytest

from fixtures.profile.reading import ProfileError, read_profile
from tests.support.controls_in_process import WITHOUT
from tests.support.drills import (
    ROOT,
    Drill,
    Drilling,
    command,
    drill,
    programs_that_do_not_run,
)
from tests.support.further import first_of
from tests.support.profiles import profile_and
from tests.support.watched_drill import runs_in

WAIVER = (
    '[[waiver]]\nsubject = "whole"\nowner = "billing team"\nticket = "OPS-1"\nat_most = 1\n'
    'reason = "known since the move"\napproved_by = "operations"\nuntil = 2027-01-01\n'
)


def refused(argv: list[str], folder: Path) -> str:
    """What a call says that starts nothing and leaves no report; its TMPDIR shows whether anything was made."""
    private = folder / "private"
    private.mkdir(exist_ok=True)
    environment = {"PATH": "/usr/bin:/bin", "TMPDIR": str(private), "HOME": str(folder)}
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 4, done.stdout + done.stderr
    nothing_made(folder)
    return done.stdout + done.stderr


def refused_here(argv: list[str], folder: Path) -> str:
    """The same of a call in this process: most of what a process of its own takes is pytest's start."""
    private, said = folder / "private", io.StringIO()
    private.mkdir(exist_ok=True)
    arguments = [word for word in argv[argv.index("pytest") + 1 :] if word != "-n0"]
    arguments += ["-s", *(word for name in WITHOUT if name != "terminal" for word in ("-p", f"no:{name}"))]
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(ROOT)
        patched.setattr(tempfile, "tempdir", str(private))
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            assert pytest.main(arguments) == pytest.ExitCode.USAGE_ERROR, said.getvalue()
    nothing_made(folder)
    return said.getvalue()


def nothing_made(folder: Path) -> None:
    assert not (folder / "out").exists()
    assert not [path for path in (folder / "private").iterdir() if not path.name.startswith("pytest-of-")]


def without(argv: list[str], option: str) -> list[str]:
    place = argv.index(option)
    return [*argv[:place], *argv[place + 2 :]]


@pytest.mark.parametrize(
    ("option", "says"),
    first_of(
        [
            ("--backups", "--backups is missing: say where the backup sets lie"),
            ("--app", "--app is missing: say where the application's checkout lies"),
            ("--profile", "--profile is missing: name one of verify/profiles (igny8) or a path to your own"),
        ]
    ),
)
def test_a_drill_without_what_it_needs_says_which_option(option: str, says: str, tmp_path: Path) -> None:
    refuse = refused if option == "--backups" else refused_here
    assert says in refuse(without(command(tmp_path, tmp_path / "out"), option), tmp_path)


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("[limits]\nmigrate = 0", "limits.migrate: Input should be greater than 0"),
        ("[limits]\nchecks = 0", "limits.checks: Input should be greater than 0"),
        ("[limits]\nchecks = -30", "limits.checks: Input should be greater than 0"),
        ('[limits]\nchecks = "30 minutes"', "limits.checks: Input should be a valid number"),
        (f'{WAIVER}control = "BAK-04"\n{WAIVER}control = "BAK-04"', "BAK-04 on whole is waived twice"),
        (f'{WAIVER}control = "bak-4"', "waiver[0].control"),
        ("[limits", "not TOML"),
    ],
)
def test_a_profile_that_cannot_be_read_is_told_with_its_file_and_its_key(added: str, says: str, tmp_path: Path) -> None:
    profile = profile_and(tmp_path, added)
    with pytest.raises(ProfileError) as caught:
        read_profile(profile)
    assert says in str(caught.value)
    assert str(profile / "profile.toml") in str(caught.value)


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("[limits]\nmigrat = 5", "limits.migrat: unknown key; did you mean 'migrate'?"),
        (
            f'[exempt]\nTEN-77 = "there is nothing of the kind"\n\n{WAIVER}control = "TEN-78"',
            "TEN-77, TEN-78, and there is no such control",
        ),
    ],
)
def test_a_faulty_profile_is_refused_with_its_file_its_key_and_the_fix(added: str, says: str, tmp_path: Path) -> None:
    profile = profile_and(tmp_path, added)
    said = refused_here(command(tmp_path, tmp_path / "out", profile=profile), tmp_path)
    assert says in said
    assert str(profile / "profile.toml") in said


@pytest.mark.further
def test_an_unknown_profile_a_mixture_and_a_report_beside_the_backups_are_refused(tmp_path: Path) -> None:
    said = refused_here(command(tmp_path, tmp_path / "out", profile="igny9"), tmp_path)
    assert "No profile 'igny9'. There are: igny8. Name one, or a path to your own." in said
    # The tests' own plugins would come into this process a second time.
    mixed = [*command(tmp_path, tmp_path / "out"), "tests"]
    assert "a drill and the self-tests are two runs" in refused(mixed, tmp_path)
    (tmp_path / "backups").mkdir()
    refused_run = command(tmp_path / "backups", tmp_path / "backups" / "out")
    assert "a drill never writes beside backups" in refused_here(refused_run, tmp_path)
    unkeyed = [*command(tmp_path, tmp_path / "out"), "--signing-key", str(tmp_path / "nowhere.key")]
    assert "nowhere.key cannot be read" in refused_here(unkeyed, tmp_path)
    taken = tmp_path / "taken" / "latest"
    taken.mkdir(parents=True)
    assert f"{taken} is not a link" in refused_here(command(tmp_path / "backups", taken.parent), tmp_path)
    assert list(taken.parent.iterdir()) == [taken]


@pytest.mark.further
def test_collecting_starts_no_drill(whole_set: Path, tmp_path: Path) -> None:
    argv = [*command(whole_set.parent, tmp_path / "out"), "--collect-only", "-q"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "verify/test_restore.py::" in done.stdout
    assert not (tmp_path / "out").exists()


def incomplete(outcome: Drill) -> None:
    evidence = outcome.evidence
    assert (outcome.exit_code, evidence.verdict) == (2, "INCONCLUSIVE"), outcome.output
    assert evidence.completeness.not_reported
    assert {result.control for result in evidence.results} == {card.id for card in evidence.controls}
    assert "VERIFIED" not in outcome.output


@pytest.mark.further
def test_a_part_of_the_checks_is_no_verdict(whole_set: Path, tmp_path: Path) -> None:
    """Nor where there are no programs to restore the set with, when only the set can be judged."""
    programs = ("--postgres-bin", str(programs_that_do_not_run(tmp_path / "no-programs")))
    outcome = drill(whole_set.parent, tmp_path / "out", arguments=("-k", "backup_set", *programs))
    incomplete(outcome)
    assert {result.control[:3] for result in outcome.evidence.results if result.outcome == "passed"} == {"BAK"}


@pytest.mark.whole
def test_one_file_of_the_controls_is_no_verdict_with_workers_either(whole_set: Path, tmp_path: Path) -> None:
    programs = ("--postgres-bin", str(programs_that_do_not_run(tmp_path / "no-programs")))
    argv = command(whole_set.parent, tmp_path / "out", workers=2, arguments=programs)
    argv[argv.index("verify")] = "verify/test_backup_set.py"
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=240)
    (run,) = runs_in(tmp_path / "out")
    incomplete(Drill(done.returncode, done.stdout + done.stderr, run))


@pytest.mark.further
def test_tables_and_columns_that_are_not_there_block_what_needs_the_profile(
    whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    profile = profile_and(tmp_path, '[[money]]\ntable = "igny8_plan"\ncolumns = ["price"]')
    file = profile / "profile.toml"
    text = file.read_text().replace('column = "credits_balance"', 'column = "credit_balance"')
    shared = 'igny8_moons = "the same for everyone"\n'
    file.write_text(text.replace("[tenancy.shared]\n", f"[tenancy.shared]\n{shared}"))
    outcome = drilling(whole_set.parent, tmp_path / "out", profile=profile)
    assert (outcome.exit_code, outcome.evidence.verdict, outcome.red) == (2, "INCONCLUSIVE", {}), outcome.output
    problems = outcome.evidence.record.profile_problems
    assert len(problems) == 3
    assert all(line.startswith(f"{file}: ") for line in problems)
    everything = "\n".join(problems)
    assert (
        "money[3].table: no table public.igny8_plan in the restored database; did you mean public.igny8_plans?"
        in everything
    )
    assert "ledger 'credits'.balance_of.column: no column credit_balance in public.igny8_tenants" in everything
    assert "did you mean credits_balance?" in everything
    assert "tenancy.shared: no table public.igny8_moons in the restored database" in everything
    assert "the profile does not fit the database in 3 places; " in outcome.evidence.headline
    assert {control[:3] for control in outcome.blocked} == {"FID", "TEN", "BIL", "FIL"}
    # Which tables are shared decides who owns the rows of others.
    assert "igny8_moons" in outcome.result("TEN-01", outcome.blocked["TEN-01"][0]).message
    assert "credit_balance" in outcome.result("BIL-01", outcome.blocked["BIL-01"][0]).message


# What each slip blocks, and nothing else.
SLIPS = {
    "tenancy.probe.privileged": ('"is_superuser"]', '"is_superusr"]', {"TEN-16"}),
    "tenancy.row_security.role": (
        'role = "igny8_app"',
        'role = "igny8_ap"',
        {"TEN-05", "TEN-06", "TEN-07", "TEN-12", "TEN-13"},
    ),
}


@pytest.mark.parametrize("key", first_of(SLIPS))
def test_a_slip_in_one_part_of_the_profile_blocks_what_rests_on_it_alone(
    whole_set: Path, tmp_path: Path, drilling: Drilling, key: str
) -> None:
    right, wrong, blocked = SLIPS[key]
    profile = profile_and(tmp_path, "")
    file = profile / "profile.toml"
    assert file.read_text().count(right) == 1
    file.write_text(file.read_text().replace(right, wrong))
    outcome = drilling(whole_set.parent, tmp_path / "out", profile=profile)
    assert (outcome.exit_code, outcome.evidence.verdict, outcome.red) == (2, "INCONCLUSIVE", {}), outcome.output
    assert "the profile does not fit the database in 1 place; " in outcome.evidence.headline
    (problem,) = outcome.evidence.record.profile_problems
    assert f"{key}: " in problem
    assert outcome.blocked.keys() == blocked
    assert all(
        problem in outcome.result(control, subject).message
        for control in outcome.blocked
        for subject in outcome.blocked[control]
    )


@pytest.mark.further
def test_a_slip_in_one_of_two_entries_leaves_the_other_to_be_tried(
    whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    others = '[[files]]\nname = "others"\ntable = "igny8_images"\npath = "paths"\nroot = "elsewhere"\n'
    outcome = drilling(whole_set.parent, tmp_path / "out", profile=profile_and(tmp_path, others))
    assert (outcome.exit_code, outcome.evidence.verdict, outcome.red) == (2, "INCONCLUSIVE", {}), outcome.output
    (problem,) = outcome.evidence.record.profile_problems
    assert "files 'others'.path: no column paths in public.igny8_images" in problem
    assert {control: list(subjects) for control, subjects in outcome.blocked.items()} == {
        "FIL-01": ["others"],
        "FIL-02": ["elsewhere"],
    }
    assert problem in outcome.result("FIL-01", "others").message
    assert outcome.result("FIL-01", "images").outcome == "passed"
    assert not outcome.evidence.completeness.not_reported
