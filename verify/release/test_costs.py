"""REL: what this release's migrations cost at the size of production, and whom they keep waiting."""

from fixtures.checks.blocked import Blocked, Exempt
from fixtures.checks.examination import Examination
from fixtures.checks.release.release_costs import long_locks, long_waits, too_large
from fixtures.checks.release.release_spoilers import (
    a_lock_that_is_held_for_long,
    a_migration_that_fails,
    a_migration_that_waits_without_end,
    a_migration_that_writes_too_much,
    a_request_that_waits_for_a_migration,
    a_table_that_a_failed_migration_leaves,
)
from fixtures.plugin.declare import control, proven_by
from fixtures.profile import Profile
from fixtures.record.release.rehearsal import Rehearsal, Stall


@control(
    "REL-04",
    title="Every migration completes on a server like production's",
    impact="critical",
    remediation="Fix the named migration. Run the release against this backup again before you deploy.",
)
@proven_by(a_migration_that_fails)
def test_every_migration_ends(rehearsal: Rehearsal, examination: Examination) -> None:
    """A migration that fails or hangs in production stops a deployment half way, with the old code on a new schema."""
    ended = [each for each in rehearsal.migrations if not each.failed]
    broken = [each for each in rehearsal.migrations if each.failed]
    waits = "".join(f"; it waited for {each.waited_for}" for each in broken if each.waited_for)
    names = [each.full_name for each in broken] or (["migrate"] if rehearsal.failure else [])
    of = len(ended) + len(names) + len(rehearsal.not_reached)
    message = (
        f"did not come to the end: {rehearsal.failure}{waits}; {len(rehearsal.not_reached)} came after and were not run"
    )
    examination.expect_none(names, message, of=of, unit="migrations")


@control(
    "REL-05",
    title="A migration that fails leaves nothing half applied",
    impact="critical",
    remediation="Make the migration atomic, or give each statement a migration of its own that can run again.",
)
@proven_by(a_table_that_a_failed_migration_leaves)
def test_nothing_is_left_half_done(rehearsal: Rehearsal, examination: Examination) -> None:
    """Outside a transaction, what ran before the failure stays: the next attempt then fails on what is there already."""
    left = rehearsal.left_behind
    message = f"were left by a migration that failed: {', '.join(left[:5])}"
    examination.expect_none(left, message, of=len(rehearsal.migrations), unit="changes")


@control(
    "REL-06",
    title="No migration locks a large table for long",
    impact="critical",
    remediation=(
        "Do what the finding proposes, or raise [release] lock_seconds and deploy in an announced maintenance window."
    ),
)
@proven_by(a_lock_that_is_held_for_long)
def test_no_large_table_is_closed_for_long(rehearsal: Rehearsal, promised: Profile, examination: Examination) -> None:
    """Every request that touches the table waits behind the lock, and every request behind those, until the pool is empty."""
    too_long = long_locks(rehearsal, promised.release)
    looked_at = sum(len(each.locks) for each in rehearsal.migrations)
    message = f"were held for too long: {'; '.join(each.excess for each in too_long)}"
    examination.expect_none([each.name for each in too_long], message, of=looked_at, unit="locks")


@control(
    "REL-07",
    title="No migration writes more than production can take",
    impact="high",
    remediation=(
        "Rewrite fewer rows at a time, in batches. Raise the limit in [release] only when replicas and disk "
        "can take it."
    ),
)
@proven_by(a_migration_that_writes_too_much)
def test_no_migration_writes_too_much(rehearsal: Rehearsal, promised: Profile, examination: Examination) -> None:
    """WAL fills the archive and leaves replicas behind; temporary files and growth fill the disk: then nobody writes."""
    too_much = too_large(rehearsal, promised.release)
    of = len(rehearsal.migrations)
    message = f"write too much: {'; '.join(each.excess for each in too_much)}"
    examination.expect_none([each.name for each in too_much], message, of=of, unit="migrations")


@control(
    "REL-08",
    title="No request would have waited long for a migration",
    impact="high",
    remediation="Do what REL-06 proposes for the migration's locks, or deploy while the application is closed to users.",
)
@proven_by(a_request_that_waits_for_a_migration)
def test_no_request_stalls(rehearsal: Rehearsal, promised: Profile, examination: Examination) -> None:
    """A lock that waits for another keeps everybody behind it waiting too, which no look at the lock alone shows."""
    load = promised.release.load
    if load is None:
        raise Exempt("the profile has no [release.load], so no request was made while the migrations ran")
    if rehearsal.failure:
        raise Blocked(f"the migrations do not come to their end: {rehearsal.failure}")
    under_load = rehearsal.under_load
    if under_load is None:
        examination.saw(0, "requests")
        return
    if under_load.failure or not under_load.requests:
        raise Blocked(
            f"requests under load could not be judged: {under_load.failure or 'no table has rows to ask for'}"
        )
    broken = [each for each in under_load.stalls if each.longest > load.stall_seconds or each.refused]
    stalls = "; ".join(_of_stall(each) for each in broken)
    names = [f"{each.migration} {each.act} {each.relation}" for each in broken]
    examination.note = f"{under_load.requests:,} requests were made to {', '.join(under_load.tables)}"
    examination.expect_none(names, f"would have stalled: {stalls}", of=len(under_load.stalls), unit="kinds of request")


@control(
    "REL-24",
    title="No migration waits for a strong lock longer than the profile allows",
    impact="medium",
    remediation=(
        "Let the named migration set it (SET LOCAL lock_timeout = '2s'), or set it for all of them: OPTIONS with "
        "-c lock_timeout in the settings' DATABASES, or ALTER ROLE … SET lock_timeout."
    ),
)
@proven_by(a_migration_that_waits_without_end)
def test_no_migration_waits_without_end(rehearsal: Rehearsal, promised: Profile, examination: Examination) -> None:
    """Behind one long query a migration waits for its lock, and everybody who comes later waits behind the migration."""
    allowed = promised.release.lock_wait_seconds
    late = long_waits(rehearsal, allowed)
    sentences = "; ".join(each.excess for each in late[:5])
    if allowed is None:
        waits = f", and {sentences}" if late else ", and none waits without end"
        raise Exempt(f"the profile has no [release] lock_wait_seconds{waits}")
    message = f"wait for longer than {allowed:g} s: {sentences}"
    examination.expect_none([each.name for each in late], message, of=len(rehearsal.migrations), unit="migrations")


def _of_stall(stall: Stall) -> str:
    refused = f", and {', '.join(stall.refused)} refused it" if stall.refused else ""
    return f"a {stall.act} of {stall.relation} waits {stall.longest:.2f} s for {stall.migration}{refused}"
