"""What every planted fault must come to: its own control red, the rest as it must be, and nothing of a row told."""

from collections.abc import Collection, Mapping

from sample.igny8_core.igny8.filling import canary
from tests.support.drills import Drill


def expect_red(
    outcome: Drill,
    red: Mapping[str, Collection[str]],
    blocked: Collection[str] = (),
    because: Collection[str] | str = "",
) -> None:
    """Exactly these controls are red, on exactly these subjects, and say what to do; exactly these ids, and all
    controls of these areas, are blocked besides, for the cause, or one of the causes, in `because`."""
    causes = [because] if isinstance(because, str) else because
    outcome_text = f"red {outcome.red}, blocked {sorted(outcome.blocked)}\n{outcome.output}"
    expected = {control: set(subjects) for control, subjects in red.items()}
    cards = outcome.evidence.controls
    assert {control: set(subjects) for control, subjects in outcome.red.items()} == expected, outcome_text
    unheard = {card.id for card in cards if card.id in blocked or card.area in blocked}
    # What the profile says there is none of is not waited for.
    unheard -= set(outcome.with_outcome("exempt"))
    assert set(outcome.blocked) == unheard - set(red), outcome_text
    for result in outcome.evidence.results:
        assert result.outcome != "blocked" or any(cause in result.message for cause in causes), result
        if result.outcome == "failed":
            assert result.message
            assert result.broken >= 1
            assert result.examined is not None, result
    summary = (outcome.directory / "summary.md").read_text().replace("\\", "")
    assert all(card.remediation in summary for card in cards if card.id in red), summary
    assert outcome.exit_code == (1 if red else 2), outcome.output
    assert outcome.evidence.completeness.whole
    assert all(thing.gone for thing in outcome.evidence.teardown)
    expect_no_canary(outcome)


def expect_no_canary(outcome: Drill) -> None:
    """Nothing that was printed or written holds what is planted in the sample's rows and files."""
    for secret in canary.ALL:
        assert secret not in outcome.output
        for file in outcome.files:
            assert secret.encode() not in file.read_bytes(), file.name
