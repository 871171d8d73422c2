"""Words what a release's migrations cost: one line each, the same in the terminal, the summary and the page."""

from dataclasses import dataclass

from fixtures.record.record import DrillRecord
from fixtures.record.release.rehearsal import HeldLock, LockWait, MigrationCost
from reports import words

_NO_LOCK = "no lock that blocks reads or writes"


@dataclass(frozen=True)
class Cost:
    """One migration: how long, which tables it rewrote, its WAL, and the lock that stops most for longest."""

    name: str
    took: str
    rewrote: str
    wal: str
    lock: str
    failed: str


def costs(record: DrillRecord) -> tuple[Cost, ...]:
    """In the order in which they ran; none where nothing was rehearsed."""
    rehearsal = record.release.rehearsal if record.release is not None else None
    return tuple(map(_told, rehearsal.migrations)) if rehearsal is not None else ()


def server(record: DrillRecord) -> str:
    """On what they were measured; empty where nothing was rehearsed."""
    rehearsal = record.release.rehearsal if record.release is not None else None
    if rehearsal is None:
        return ""
    settings = ", ".join(f"{name} {value}" for name, value in rehearsal.settings.items())
    return f"PostgreSQL as production runs it: {settings}"


def load(record: DrillRecord) -> str:
    """How long the application would have stalled; empty where no request was made meanwhile."""
    rehearsal = record.release.rehearsal if record.release is not None else None
    under_load = rehearsal.under_load if rehearsal is not None else None
    if under_load is None:
        return ""
    if under_load.failure:
        return f"the migrations did not come to their end under load: {under_load.failure}"
    traffic = f"{words.many(under_load.requests, 'request')} to {words.few(under_load.tables, 3)} while they ran"
    if not under_load.stalls:
        return traffic
    worst = max(under_load.stalls, key=lambda each: each.longest)
    return f"{traffic}; the longest wait was {words.duration(worst.longest)}, a {worst.act} during {worst.migration}"


def _told(cost: MigrationCost) -> Cost:
    whole = [each for each in cost.rewritten if each.what != "rows"]
    rows = [each for each in cost.rewritten if each.what == "rows"]
    rewrote = [f"{each.what} {each.relation} ({words.size(each.bytes)})" for each in whole]
    rewrote += [f"{words.many(each.rows, 'row')} of {each.relation}" for each in rows]
    strong = [lock for lock in cost.locks if lock.mode in _STOPS]
    worst = max(strong, key=lambda lock: (lock.mode == "ACCESS EXCLUSIVE", lock.seconds), default=None)
    return Cost(
        name=cost.full_name,
        took=words.duration(cost.seconds),
        rewrote=words.few(rewrote, 3) if rewrote else "nothing",
        wal=words.size(cost.wal_bytes),
        lock=(_of_lock(worst) if worst is not None else _NO_LOCK) + _without_end(cost),
        failed=cost.failed,
    )


_STOPS = ("SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")


def _of_lock(lock: HeldLock) -> str:
    return f"{lock.mode} on {lock.relation} for {words.duration(lock.seconds)}"


def _without_end(cost: MigrationCost) -> str:
    endless = [wait for wait in cost.waits if wait.seconds is None]
    return (
        f"; no lock_timeout: waits without end for {words.few([_named(each) for each in endless], 2)}"
        if endless
        else ""
    )


def _named(wait: LockWait) -> str:
    return f"{wait.mode} on {wait.relation}"
