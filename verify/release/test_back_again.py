"""REL: whether this release can be undone, and whether the one before can live with it."""

from fixtures.checks.examination import Examination
from fixtures.checks.release.release_spoilers import (
    a_column_that_the_release_before_cannot_fill,
    a_column_that_the_release_before_misses,
    a_table_that_does_not_come_back,
)
from fixtures.checks.release.released import not_coming_back
from fixtures.plugin.declare import control, proven_by
from fixtures.profile import Profile
from fixtures.record.release.previous import Previous
from fixtures.record.release.reversal import Reversal


@control(
    "REL-13",
    title="Reversing the release and applying it again gives the same database",
    impact="high",
    remediation="Fix the reverse operation that fails or leaves something behind. Name a table that cannot be the "
    "same in [release.unrepeatable], with the reason.",
)
@proven_by(a_table_that_does_not_come_back)
def test_the_release_comes_back(reversal: Reversal, promised: Profile, examination: Examination) -> None:
    """A reverse that was never run is a hope; it is needed on the one night when nobody has time to mend it."""
    examination.note = _not_undone(reversal)
    broken = not_coming_back(reversal, promised.release)
    of = len(reversal.taken_back)
    examination.expect_none(broken, "do not come back: " + "; ".join(broken), of=of, unit="migrations")


@control(
    "REL-14",
    title="The release before this one can read the migrated schema",
    impact="critical",
    remediation="Keep the columns that it reads until no process of that release runs, and drop them in the next "
    "release. If none runs by then, say why in release.not_rolling.",
)
@proven_by(a_column_that_the_release_before_misses)
def test_the_release_before_can_read(previous: Previous, examination: Examination) -> None:
    """In a rolling deploy the old code runs on the new schema for minutes; after a rollback of the code, for days."""
    broken = [f"check: {problem}" for problem in previous.check_problems]
    for each in previous.models:
        if each.missing:
            broken.append(f"{each.model} misses {', '.join(f'{each.table}.{column}' for column in each.missing)}")
        elif each.error:
            broken.append(f"{each.model} ({each.table}): {each.error}")
    of = len(previous.models)
    examination.expect_none(broken, "no longer work: " + "; ".join(broken[:20]), of=of, unit="models")


@control(
    "REL-15",
    title="The release before this one can add rows to the migrated schema",
    impact="high",
    remediation="Give the new column a default in the database (db_default), or let it be null until the next release.",
)
@proven_by(a_column_that_the_release_before_cannot_fill)
def test_the_release_before_can_add_rows(previous: Previous, examination: Examination) -> None:
    """A new column that must be filled and has no default refuses every row that the old code adds."""
    broken = [
        f"{each.model} knows nothing of {', '.join(f'{each.table}.{column}' for column in each.demanded)}"
        for each in previous.models
        if each.demanded
    ]
    says = "cannot be added to: " + "; ".join(broken[:20])
    examination.expect_none(broken, says, of=len(previous.models), unit="models")


def _not_undone(reversal: Reversal) -> str:
    """What was not tried, since nothing can undo it."""
    if not reversal.kept:
        return ""
    why = "; ".join(f"{name}: {', '.join(operations)}" for name, operations in reversal.irreversible.items())
    return f"{len(reversal.kept)} migrations stayed, for what cannot be undone: {why}"
