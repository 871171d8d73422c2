"""Evidence of drills that went well, badly and nowhere, made through the shapes."""

from datetime import timedelta
from typing import Any

from fixtures.record.evidence import (
    Completeness,
    ControlCard,
    Evidence,
    Masking,
    Measure,
    Result,
    TornDown,
    Waived,
)
from fixtures.record.judging import judge
from fixtures.record.origin import Confinement, Job, Origin, Revision, Runner, Version
from fixtures.record.record import DrillRecord
from fixtures.record.release import ReleaseRecord
from fixtures.record.release.plan import PlannedMigration, ReleasePlan
from fixtures.record.release.rehearsal import HeldLock, MigrationCost, Rehearsal, Rewritten, Stall, UnderLoad
from tests.support import record_examples

CARDS = (
    ("BAK-01", "The set is complete", "critical", "Take the backup again; look into the backup job's log first."),
    (
        "BAK-04",
        "The files are protected",
        "high",
        "chmod 0600 the files and 0700 the folder, then find out who read them.",
    ),
    ("RST-01", "Every stage of the restore ended well", "critical", "Read the stage's cause above."),
    ("RST-05", "Row counts equal the manifest's", "critical", "Do not promote this backup: rows were lost on the way."),
    ("MIG-01", "Every migration is applied", "high", "Run the migrations against a copy and read the failure."),
    (
        "TEN-02",
        "Every reference stays inside one tenant",
        "critical",
        "Do not promote this backup. Quarantine the rows.",
    ),
    (
        "TEN-07",
        "No other tenant's row is visible to the application",
        "critical",
        "Restore the policies before any use.",
    ),
    ("BIL-02", "The balance equals the ledger", "critical", "Rebuild the balance from the ledger; find the writer."),
    ("BIL-06", "Periods of one subscription do not overlap", "medium", "Correct the periods named."),
    ("SIT-03", "Digests equal the deployment's", "high", "Deploy the site again from its definition."),
    ("APP-04", "Nothing was sent outside", "low", "Name the address in the profile, or stop the code that calls it."),
)


def control_cards() -> tuple[ControlCard, ...]:
    return tuple(
        ControlCard(
            id=id,
            title=title,
            impact=impact,
            remediation=remediation,
            rationale=f"What {id} is for: a customer would notice before we do.",
            source="verify/test_example.py",
            subjects="table",
        )
        for id, title, impact, remediation in CARDS
    )


def result(control: str, subject: str = "set", outcome: str = "passed", **other: Any) -> Result:
    broken = 3 if outcome in ("failed", "waived") else 0
    fields: dict[str, Any] = {
        "examined": None if outcome in ("blocked", "exempt") else 1_200,
        "unit": "rows",
        "broken": broken,
        "samples": tuple(f"id=#{number:04x}" for number in range(broken)),
        "message": "" if outcome == "passed" else f"{control} found something on {subject}",
        "seconds": 0.012,
    }
    return Result(control=control, subject=subject, outcome=outcome, **fields | other)


def passes() -> list[Result]:
    subjects = ("public.igny8_sites", "public.igny8_content", "public.billing_invoices")
    results = [result(id, subject) for id, *_ in CARDS if id != "APP-04" for subject in subjects]
    results.append(result("TEN-02", "public.Igny8_Notes", examined=0))
    results.append(result("TEN-07", "42 tenants", examined=42, unit="tenants"))
    results.append(result("BIL-06", "trials", "exempt", message="this application has no trials"))
    return results


def verified() -> Evidence:
    waived = result(
        "APP-04",
        "metrics.example.net",
        "waived",
        waiver=Waived(
            owner="platform team",
            ticket="OPS-211",
            reason="metrics leave until the new gateway is there",
            approved_by="head of platform",
            until="2027-01-31",
        ),
    )
    return evidence([*passes(), waived])


def failed() -> Evidence:
    broken = [
        result(
            "TEN-02",
            f"public.igny8_content(site_id)->public.igny8_sites {number}",
            "failed",
            samples=_keys(18),
            broken=18,
        )
        for number in range(14)
    ]
    ledger = result(
        "BIL-02", "credits", "failed", unit="accounts", examined=42, message="2 balances differ by 15.00 EUR"
    )
    return evidence(
        [*passes(), *broken, ledger, result("SIT-03", "not-enumerated", "blocked", message="no sites table")]
    )


def inconclusive() -> Evidence:
    """The restore stopped on a missing extension: what asked for a database is blocked."""
    cause, fix = 'extension "postgis" is not on this server', "Install postgis for PostgreSQL 17, then drill again."
    why = f"restore failed: {cause}"
    results = [result("BAK-01"), result("BAK-04")]
    results += [
        result(id, subject, "blocked", message=why)
        for id, *_ in CARDS
        if not id.startswith("BAK")
        for subject in (("not-enumerated",) if id != "TEN-02" else tuple(f"reference {number}" for number in range(30)))
    ]
    whole = record_examples.record(stages=record_examples.stages("restore", cause, fix))
    nothing = dict.fromkeys(("restored", "facts", "migrated", "migrated_facts", "sites", "logs", "application"))
    return evidence(results, record=whole.model_copy(update=nothing), rto=None)


def gate() -> Evidence:
    """A gate that lets its release go: one migration closes a table for a moment, and one request waited for it."""
    lock = HeldLock(
        relation="public.igny8_content",
        rows=96_410,
        mode="ACCESS EXCLUSIVE",
        seconds=1.25,
        statements=('ALTER TABLE "igny8_content" ADD COLUMN "region" text',),
    )
    cost = MigrationCost(
        app="igny8_core",
        name="0007_site_region_not_null",
        seconds=1.9,
        wal_bytes=3_250_000,
        temp_files=0,
        temp_bytes=0,
        disk_growth=4_000_000,
        rewritten=(Rewritten(relation="public.igny8_content", what="table", rows=96_410, bytes=41_000_000),),
        locks=(lock,),
    )
    stall = Stall(
        migration=cost.full_name,
        relation="public.igny8_content",
        act="read",
        requests=12,
        longest=1.3,
        refused=(),
    )
    rehearsal = Rehearsal(
        server="local: system 17.10",
        settings={"fsync": "on", "wal_level": "replica"},
        sampled_every=0.02,
        migrations=(cost,),
        isolation="bubblewrap: tried at the start of the drill",
        under_load=UnderLoad(tables=("public.igny8_content",), requests=480, stalls=(stall,)),
    )
    planned = PlannedMigration(
        app="igny8_core",
        name="0007_site_region_not_null",
        operations=("Add field region to content",),
        sql=("--", "-- Add field region to content", "--", 'ALTER TABLE "igny8_content" ADD COLUMN "region" text;'),
        irreversible=(),
        atomic=True,
        data=(),
        extensions=(),
    )
    plan = ReleasePlan(applied_before=31, migrations=(planned,), problems=(), django="5.2.8", python="3.11.7")
    drilled = verified()
    record = drilled.record.model_copy(update={"release": ReleaseRecord(plan=plan, rehearsal=rehearsal)})
    return drilled.model_copy(update={"kind": "gate", "headline": "GO: all checks passed", "record": record})


def large(subjects: int = 200) -> Evidence:
    """`subjects` of each control, one in nine failed, with messages of a length that does occur."""
    results = [
        result(
            id, f"public.table_{number:04d}(owner_id)->public.igny8_tenants", "failed" if number % 9 == 0 else "passed"
        )
        for id, *_ in CARDS
        for number in range(subjects)
    ]
    long = " ".join(["a row points at a parent of another owner;"] * 12)
    return evidence([each.model_copy(update={"message": long}) if each.broken else each for each in results])


def evidence(
    results: list[Result], *, record: DrillRecord | None = None, rto: float | None = 1.6, **other: Any
) -> Evidence:
    everything = tuple(sorted(results, key=lambda each: (each.control, each.subject)))
    count = len(everything)
    whole = Completeness(
        planned=count, collected=count, reported=count, not_collected=(), not_reported=(), unplanned=()
    )
    gone = (
        TornDown(what="server process 4711", gone=True, how="the process is not there any more"),
        TornDown(what="private folder", gone=True, how="no such folder"),
    )
    completeness, teardown = other.pop("completeness", whole), other.pop("teardown", gone)
    drilled = record or record_examples.record()
    verdict, headline = judge(
        everything,
        completeness,
        teardown,
        as_superuser=drilled.loaded_as_superuser,
        sample=drilled.sample_data,
        rehearsal=other.get("rehearsal"),
    )
    fields: dict[str, Any] = {
        "run_id": "20261122-031509-7f3a",
        "started_at": record_examples.STARTED,
        "finished_at": record_examples.STARTED + timedelta(seconds=121.5),
        "verdict": verdict,
        "headline": headline,
        "suite_version": "0.1.0",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "origin": origin(),
        "masking": Masking(kept=True, key_id="5e" * 8),
        "command": ("pytest", "verify", "--backups", "backups", "-n2"),
        "measures": (
            Measure(name="RPO", target=24.0, measured=1.25, unit="hours"),
            Measure(name="RTO", target=60.0, measured=rto, unit="minutes"),
        ),
        "record": drilled,
        "controls": control_cards(),
        "results": everything,
        "completeness": completeness,
        "teardown": teardown,
        "not_shown": (
            "Whether the application's own interface works for a person: only its commands were run.",
            "Encrypted columns: no key was at hand.",
        ),
    }
    return Evidence(**fields | other)


def origin() -> Origin:
    """A job of a CI service, with code that was not just what its commit says."""
    return Origin(
        runner=Runner(
            account="drill",
            uid=1001,
            machine="drill-02",
            job=Job(
                service="GitLab CI",
                name="restore-drill",
                run="48213",
                actor="schedule",
                address="https://git.example.net/ops/drill/-/jobs/48213",
            ),
        ),
        suite=Revision(commit="4be1" * 10, changed=0),
        application=Revision(commit="a90c" * 10, changed=2),
        lock_sha256="1c" * 32,
        tools=(Version(name="Python", version="3.11.7"), Version(name="git", version="2.39.5")),
        libraries=(Version(name="psycopg", version="3.3.0"), Version(name="pydantic", version="2.12.4")),
        confinement=(
            Confinement(
                programs="server", network="Unix socket in a folder of mode 0700, no TCP port", account="nobody"
            ),
            Confinement(
                programs="restore",
                network="unshare --net",
                why="tried at the start of the drill: a network namespace with no way out",
                account="nobody",
            ),
        ),
    )


def _keys(count: int) -> tuple[str, ...]:
    return tuple(f"id=#{number * 7919:06x}" for number in range(count))
