"""REL: what this release would run on production, before it runs."""

from fixtures.checks.examination import Examination
from fixtures.checks.release.release_spoilers import (
    a_history_that_is_not_the_releases,
    a_migration_without_a_way_back,
    an_extension_that_production_lacks,
)
from fixtures.plugin.declare import control, proven_by
from fixtures.profile import Profile
from fixtures.record.release.plan import ReleasePlan


@control(
    "REL-01",
    title="The dump's migration history and the release's migrations agree",
    impact="critical",
    remediation=(
        "The finding names a solution for each problem. Do not deploy before migrate --plan shows what you "
        "intend to run."
    ),
)
@proven_by(a_history_that_is_not_the_releases)
def test_the_history_is_one(release_plan: ReleasePlan, examination: Examination) -> None:
    """Migrations that only one side knows, holes, two last ones and half-applied squashes leave a schema nobody tested."""
    reasons = "; ".join(f"{problem.what}: {problem.way_out}" for problem in release_plan.problems)
    of = release_plan.applied_before + len(release_plan.migrations)
    problems = [problem.kind for problem in release_plan.problems]
    examination.expect_none(problems, f"do not go together: {reasons}", of=of, unit="migrations")


@control(
    "REL-02",
    title="Every migration can be reversed, or is declared irreversible",
    impact="high",
    remediation="Give the operation a reverse, or name the migration in [release.irreversible] and say how to go back.",
)
@proven_by(a_migration_without_a_way_back)
def test_every_migration_can_be_taken_back(
    release_plan: ReleasePlan, promised: Profile, examination: Examination
) -> None:
    """When a release must be undone at night, an irreversible migration leaves the restore of a backup as the only way."""
    accepted = promised.release.irreversible
    broken = [each for each in release_plan.migrations if not each.reversible and each.full_name not in accepted]
    reasons = "; ".join(f"{each.full_name}: {', '.join(each.irreversible)}" for each in broken)
    needless = set(accepted) - {each.full_name for each in release_plan.migrations if not each.reversible}
    names = [*(each.full_name for each in broken), *(_needless("irreversible", name) for name in sorted(needless))]
    of = len(release_plan.migrations)
    examination.expect_none(names, f"cannot be reversed ({reasons})", of=of, unit="migrations")


@control(
    "REL-03",
    title="Every extension that the release creates may be created in production",
    impact="high",
    remediation=(
        "Ask a superuser to create the extension before the release. Then name it in [release.extensions] "
        "with who allows it."
    ),
)
@proven_by(an_extension_that_production_lacks)
def test_every_extension_may_be_made(release_plan: ReleasePlan, promised: Profile, examination: Examination) -> None:
    """The drill's server lets its superuser make any extension; production's role is refused, half way through."""
    missing = [name for name in release_plan.missing_extensions if name not in promised.release.extensions]
    needless = set(promised.release.extensions) - set(release_plan.missing_extensions)
    missing += [_needless("extensions", name) for name in sorted(needless)]
    of = len({name for each in release_plan.migrations for name in each.extensions})
    examination.expect_none(missing, "are made by it and are not in the backup's database", of=of, unit="extensions")


def _needless(table: str, name: str) -> str:
    return f"[release.{table}] {name} is declared, and nothing needs it: remove the entry"
