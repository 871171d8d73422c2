"""A draft finds in the sample what its real profile says, and tells of everything that it only guessed."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fixtures.commands.drafting.__main__ import main
from fixtures.profile import Profile
from fixtures.profile.reading import read_profile
from fixtures.profile.schema import SCHEMA
from tests.support.drills import PROFILE, ROOT, SAMPLE
from tests.support.on_a_terminal import CTRL_C, on_a_terminal

CANARY = "canary"


COMMAND = (sys.executable, "-m", "fixtures.commands.drafting")


def draft(backups: Path, into: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--backups", str(backups), "--into", str(into), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def drafted(whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("profiles") / "shop"
    done = draft(whole_set.parent, into, "--app", str(SAMPLE))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{into / 'profile.toml'}\n"
    assert "parts are guesses" in done.stderr
    # The first line tells an editor what completes and checks the rest.
    first = (into / "profile.toml").read_text().splitlines()[0]
    assert (into / first.removeprefix("#:schema ")).resolve() == SCHEMA
    return into


@pytest.fixture(scope="module")
def guessed(drafted: Path) -> Profile:
    return read_profile(drafted).profile


@pytest.fixture(scope="module")
def real() -> Profile:
    return read_profile(PROFILE).profile


def test_the_root_is_found_and_the_shared_tables_with_it(guessed: Profile, real: Profile) -> None:
    assert guessed.tenancy.root == real.tenancy.root
    assert set(guessed.tenancy.shared) == set(real.tenancy.shared)
    assert not guessed.tenancy.ownerless
    people = next(reason for name, reason in guessed.tenancy.shared.items() if name.name == "igny8_users")
    assert "igny8_memberships" in people


def test_references_and_policies_that_no_foreign_key_shows_are_found(guessed: Profile, real: Profile) -> None:
    assert guessed.tenancy.generic_reference == real.tenancy.generic_reference
    assert guessed.tenancy.soft_reference == real.tenancy.soft_reference
    theirs, ours = guessed.tenancy.row_security, real.tenancy.row_security
    assert theirs is not None
    assert ours is not None
    assert (theirs.role, theirs.setting, theirs.tables) == (ours.role, ours.setting, ours.tables)


def test_who_logs_in_and_who_owns_a_tenant_are_found(guessed: Profile, real: Profile) -> None:
    assert guessed.tenancy.login == real.tenancy.login
    assert "tenancy.login" in guessed.unconfirmed


def test_the_money_is_found_where_it_adds_up(guessed: Profile, real: Profile) -> None:
    def parts(profile: Profile) -> list[dict[str, object]]:
        every = (*profile.ledger, *profile.usage[:1], *profile.invoice, *profile.payment, *profile.period)
        return [part.model_dump(exclude={"name", "settles", "charges", "unpaid"}, exclude_unset=True) for part in every]

    # What the data alone does not show (whether a period may have a hole) is left to a person.
    for theirs, ours in zip(parts(guessed), parts(real), strict=True):
        assert theirs == {key: ours[key] for key in theirs}
    # An open invoice may yet be paid in part.
    assert set(guessed.invoice[0].unpaid) == set(real.invoice[0].unpaid) - {"open"}
    assert guessed.currencies == real.currencies
    assert guessed.ledger[0].kinds == real.ledger[0].kinds
    assert guessed.usage[0].by == real.usage[0].by
    assert guessed.invoice[0].tax_rule == real.invoice[0].tax_rule
    assert guessed.payment[0].processor_id == real.payment[0].processor_id
    assert (guessed.invoice[0].subtotal, guessed.invoice[0].numbering) == (
        real.invoice[0].subtotal,
        real.invoice[0].numbering,
    )
    named = {(money.table, column) for money in real.money for column in money.columns}
    drafted = {(money.table, column) for money in guessed.money for column in money.columns}
    assert named <= drafted


def test_what_may_stand_in_columns_of_money_is_found(guessed: Profile, real: Profile) -> None:
    drafted = {domain.table: domain for domain in guessed.domain}
    for ours in real.domain:
        theirs = drafted[ours.table]
        assert all(set(words) <= set(ours.one_of[column]) for column, words in theirs.one_of.items())
        assert theirs.in_order == ours.in_order
        money = {money for money in ours.not_negative if money not in ("quantity", "tax_rate")}
        assert money <= set(theirs.not_negative)
    assert [str(domain.table) for domain in guessed.domain if "status" in domain.one_of] == [
        "public.igny8_invoices",
        "public.igny8_payments",
        "public.igny8_refunds",
        "public.igny8_subscriptions",
    ]


def test_columns_of_paths_are_found_with_where_their_files_lie(guessed: Profile, real: Profile) -> None:
    assert [column.model_dump(exclude={"name"}) for column in guessed.files] == [
        column.model_dump(exclude={"name"}) for column in real.files
    ]


def test_sites_and_where_they_lie_in_the_archive_are_found(drafted: Path, guessed: Profile, real: Profile) -> None:
    assert guessed.sites is not None
    assert real.sites is not None
    assert guessed.sites == real.sites.model_copy(update={"pages": None, "skew": None})
    assert {"sites"} <= set(guessed.unconfirmed)
    text = " ".join((drafted / "profile.toml").read_text().replace("\n# ", " ").split())
    assert "live versions that have their folder in the archive: holds for" in text


def test_the_application_is_read_and_not_run(guessed: Profile, real: Profile) -> None:
    assert guessed.application.manage == real.application.manage
    assert guessed.application.environment == real.application.environment


def test_every_part_that_was_guessed_is_marked(drafted: Path, guessed: Profile) -> None:
    parts = set(guessed.unconfirmed)
    assert {"application", "backup", "targets", "tenancy.root", "tenancy.shared", "tenancy.row_security"} <= parts
    for field in ("ledger", "invoice", "payment", "period"):
        assert {f"{field}.{part.name}" for part in getattr(guessed, field)} <= parts
    lines = (drafted / "profile.toml").read_text().splitlines()
    first = lines.index("unconfirmed = [")
    assert [line.strip().strip('",') for line in lines[first + 1 : lines.index("]")]] == list(guessed.unconfirmed)


def test_every_guess_says_why_with_what_was_measured(drafted: Path) -> None:
    text = (drafted / "profile.toml").read_text()
    for words in (
        "tables point at it",
        "per tenant_id: holds for 1,944 of 1,944",
        "the sum of the account's entries: holds for 6 of 6",
        "by igny8_invoice_lines.amount: holds for 216 of 216",
        "igny8_images.path: 210 of 210 read like a path",
        "Under it in the archive: holds for 210 of 210.",
        "102 of 102 ids are found in igny8_content",
        "payload has content_id, which is called after igny8_content: holds for",
        "tax is subtotal x tax_rate, rounded half up: holds for 216 of 216",
    ):
        assert words in " ".join(text.replace("\n# ", " ").split()), words


def test_nothing_of_a_row_is_in_the_draft(drafted: Path) -> None:
    assert CANARY not in (drafted / "profile.toml").read_text().lower()


def test_confirming_is_deleting_a_line(drafted: Path, tmp_path: Path) -> None:
    text = (drafted / "profile.toml").read_text().replace('  "tenancy.root",\n', "")
    (tmp_path / "profile.toml").write_text(text)
    assert "tenancy.root" not in read_profile(tmp_path).profile.unconfirmed
    assert tomllib.loads(text)["tenancy"]["root"] == "igny8_tenants"


@pytest.mark.further
def test_on_a_terminal_a_person_chooses_the_root_and_ctrl_c_leaves_a_profile(whole_set: Path, tmp_path: Path) -> None:
    into = tmp_path / "shop"
    command = [*COMMAND, "--backups", str(whole_set.parent), "--into", str(into)]
    seen = on_a_terminal(command, dict(os.environ), tmp_path, 120, ("igny8_sites", CTRL_C))
    assert seen.exit_code == 130, seen.said
    assert "1. igny8_tenants: 13 tables point at it" in seen.shown
    profile = read_profile(into).profile
    assert str(profile.tenancy.root) == "public.igny8_sites"
    assert "tenancy.root" not in profile.unconfirmed
    assert "tenancy.shared" in profile.unconfirmed
    assert re.search(r"\n# Answered on \d{4}-\d\d-\d\d: it is so.\n\[tenancy\]\n", (into / "profile.toml").read_text())


def test_a_profile_that_is_there_is_never_overwritten(
    drafted: Path, whole_set: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (drafted / "profile.toml").read_bytes()
    assert main(["--backups", str(whole_set.parent), "--into", str(drafted)]) == 1
    assert "is there already, and is never overwritten" in capsys.readouterr().err
    assert (drafted / "profile.toml").read_bytes() == before


def test_a_set_that_is_not_there_is_told_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "backups").mkdir()
    assert main(["--backups", str(tmp_path / "backups"), "--into", str(tmp_path / "profile")]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("No profile was drafted: locate ")
    assert not (tmp_path / "profile").exists()
