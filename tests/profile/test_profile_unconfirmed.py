"""What a draft guessed and nobody confirmed is said in the verdict's first line, and never passes for VERIFIED."""

from pathlib import Path

import pytest

from fixtures.profile import Profile
from fixtures.profile.reading import ProfileError, read_profile
from fixtures.record.judging import judge
from fixtures.record.unconfirmed import not_confirmed, unconfirmed
from tests.profile.test_profile import WELL_WRITTEN
from tests.support import evidence_examples as examples

PASSED = examples.result("TEN-01")


def marked(*parts: str) -> str:
    lines = "".join(f'  "{part}",\n' for part in parts)
    return f"unconfirmed = [\n{lines}]\n{WELL_WRITTEN}"


def profile(folder: Path, text: str) -> Profile:
    (folder / "profile.toml").write_text(text)
    return read_profile(folder).profile


def test_a_part_is_named_by_its_table_or_its_own_name(tmp_path: Path) -> None:
    parts = ("targets", "tenancy.root", "tenancy.shared", "tenancy.row_security", "ledger.credits", "invoice.orders")
    assert profile(tmp_path, marked(*parts)).unconfirmed == parts


@pytest.mark.parametrize("part", ["ledger.credit", "tenancy.roots", "sites", "limits", "nothing"])
def test_a_line_for_a_part_that_is_not_there_is_an_error(part: str, tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=f"unconfirmed: this profile has no {part}; remove the line"):
        profile(tmp_path, marked(part))


def test_all_checks_passed_on_a_guess_is_not_verified() -> None:
    whole = examples.evidence([PASSED])
    assert whole.verdict == "VERIFIED"
    record = whole.record.model_copy(update={"profile_unconfirmed": ("tenancy.root", "ledger.credits")})
    words = unconfirmed(record)
    assert words == "unconfirmed profile: tenancy.root, ledger.credits"
    verdict, headline = judge(whole.results, whole.completeness, whole.teardown, "unreconciled: no manifest", words)
    assert verdict == "INCONCLUSIVE"
    assert headline == f"{words}; unreconciled: no manifest; the one check passed"
    (line,) = not_confirmed(record)
    assert line.startswith("2 parts of the profile are guesses of its draft: ")
    assert line.endswith(": tenancy.root, ledger.credits.")
    (line,) = not_confirmed(record.model_copy(update={"profile_unconfirmed": ("targets",)}))
    assert line.startswith("The profile's targets is a guess of its draft: ")


def test_a_fault_that_was_found_stays_a_failure() -> None:
    whole = examples.evidence([examples.result("TEN-01", outcome="failed", broken=1)])
    verdict, headline = judge(whole.results, whole.completeness, whole.teardown, "", "unconfirmed profile: targets")
    assert verdict == "FAILED"
    assert headline.startswith("unconfirmed profile: targets; 1 of 1 checks found a fault")


def test_many_guesses_are_told_by_the_first_and_their_number() -> None:
    record = examples.evidence([PASSED]).record
    parts = tuple(f"money.table_{number}" for number in range(8))
    assert unconfirmed(record.model_copy(update={"profile_unconfirmed": parts})).endswith("money.table_4 and 3 more")
    assert unconfirmed(record) == ""
