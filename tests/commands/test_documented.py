"""Every command that a document shows is run as it stands there, or is listed here with what it needs of the reader's own."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.server import Server, ServerRequest
from tests.house.test_documents import OF_COMMANDS, OF_MAKE
from tests.support.drills import SAMPLE, Drill, Healthy, at_work_on
from tests.support.keys import age_key
from tests.support.reader import ROOT, Asked, Reader, asked
from tests.support.short_drills import MIGRATED, STOOD_UP, VISITED, Standing
from tests.support.small_source import another_server

DOCUMENTED = sorted({" ".join(re.sub(r"\s#\s.*", "", line).split()) for _, line in (*OF_MAKE, *OF_COMMANDS)})


@dataclass(frozen=True)
class Run:
    """A line to run, a part of what it says, and the exit code that it ends with.

    `places` stand for names in this line alone, and `shell` is set for it alone. `gives` has what a command of the sample
    gives pytest besides."""

    line: str
    says: str
    code: int = 0
    places: dict[str, str] = field(default_factory=dict)
    gives: frozenset[str] = frozenset()
    shell: dict[str, str] = field(default_factory=dict)

    @property
    def asks(self) -> Asked:
        typed = asked(self.line)
        return Asked(typed.verb, typed.names | self.gives)

    @property
    def covered(self) -> list[str]:
        return [line for line in DOCUMENTED if self.asks.covers(asked(line))]


MAKE_SAYS_NOT_ZERO = 2
OF_THE_SAMPLE = frozenset({"app", "backups", "profile"})
# What `make prove` does for all of them.
UNPROVEN = {"PROVE": "none", "PYTEST_ADDOPTS": "--no-pdf"}

# In the order of a reader who comes with backups of their own. What several lines give to one command is given at once.
RUNS = (
    Run("make keys INTO=$HOME/drill-keys", "drill-mask.key"),
    Run("make profile BACKUPS=/var/backups/shop INTO=verify/profiles/shop APP=/srv/shop", "parts are guesses"),
    Run("make profile BACKUPS=/var/backups/shop CONTINUE=verify/profiles/shop APP=/srv/shop", "nothing new"),
    Run(
        "make check-profile BACKUPS=/var/backups/shop PROFILE=shop RESTORE_CACHE=/var/cache/drills",
        " 0 wrong, 3 leave something untried",
        MAKE_SAYS_NOT_ZERO,
    ),
    Run(
        "make backup INTO=/var/backups/igny8 SITES_DATA=/data/app/sites-data PROFILE=igny8 ENCRYPT_TO=age1…",
        "make drill BACKUPS=",
    ),
    Run(
        "PGHOST=db PGUSER=backup PGDATABASE=igny8 make backup INTO=/var/backups/igny8 SITES_DATA=/data/app/sites-data "
        "LOGS=/data/app/logs PROFILE=igny8",
        "make drill BACKUPS=",
    ),
    Run(
        ".venv/bin/restore-drill backup --beside /var/backups/igny8 --sites-data /data/app/sites-data --profile igny8 -- "
        "pg_dump -Z 6 --snapshot={snapshot} --file={dump}",
        "A backup is proven by its restore.",
        places={"/var/backups/igny8": "/var/backups/beside", "igny8": "verify/profiles/shop"},
    ),
    # As the documents say of a server of one's own: only a superuser there could try TEN-12.
    Run(
        "SERVER=postgresql://drill@bigserver/postgres PGPASSFILE=~/.pgpass DRILL_AGE_IDENTITY=~/igny8.key make drill "
        "BACKUPS=/var/backups/igny8 APP=/srv/igny8/backend PROFILE=igny8 SET=random",
        " checks could not be tried (TEN-12); unsigned",
        MAKE_SAYS_NOT_ZERO,
        shell=UNPROVEN,
    ),
    Run("SERVER=postgresql://drill@bigserver/postgres make remove-leftovers", "No drill left anything there."),
    Run(
        "make prove SIGNING_KEY=$HOME/drill-keys/drill-signing.key MASK_KEY=$HOME/drill-keys/drill-mask.key "
        "RESTORE_CACHE=/var/cache/drill RESTORE_CACHE_GB=20 RESTORE_CACHE_DAYS=7",
        "VERIFIED  SAMPLE DATA",
        gives=OF_THE_SAMPLE,
    ),
    Run("make verify-report PUBLIC_KEY=$HOME/drill-keys/drill-signing.pub EVERY=26", "signed and in order"),
    Run('make sign-off REVIEWER="A. Reviewer" SIGNING_KEY=their.key', "/sign-offs/"),
    Run("make explain TABLE=igny8_content", "public.igny8_content"),
    Run("make remove-old DAYS=400", "0 reports removed"),
    Run(
        "PGHOST=db PGDATABASE=shop make recover TENANT=42 BACKUPS=/var/backups/shop "
        "PROFILE=verify/profiles/shop SITES_DATA=/srv/shop/media OUT=reports/out",
        "Nothing was written to production.",
        places={"42": "1", "/var/backups/shop": "sample/backups", "verify/profiles/shop": "igny8"},
    ),
    Run(
        "make prune BACKUPS=/var/backups/shop PROFILE=verify/profiles/shop OUT=reports/out",
        "Nothing was removed: --yes removes.",
        places={"/var/backups/shop": "sample/backups"},
    ),
    Run("restore-drill fleet matrix --for github", '"DATABASE":"us-1"'),
    Run(
        "restore-drill fleet report --runs /var/lib/restore-drill --public-key drill-signing.pub",
        "1 SILENT, 1 VERIFIED",
        1,
    ),
    # `make prove` has taken the sample's set, and kept what was restored.
    Run(
        "make gate APP=/srv/release/backend BACKUPS=/var/backups/igny8 PROFILE=igny8",
        "VERIFIED  GO: SAMPLE DATA",
        places={"/var/backups/igny8": "sample/backups"},
        shell={**UNPROVEN, "RESTORE_CACHE": "/var/cache/drill"},
    ),
)

# What needs something of the reader's own, or a person.
NOT_RUN = {
    "make test": "it runs these very tests",
    "AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… make drill BACKUPS=s3://igny8-backups/nightly APP=/srv/igny8/backend "
    "PROFILE=igny8": "a bucket of the reader's; tests/shelf drills sets in one that moto keeps",
    "make backup INTO=/var/backups/shop SITES_DATA=/srv/shop/media OFFSITE=s3://backups-elsewhere/shop": "a bucket of the "
    "reader's; tests/commands/test_backup_places.py takes a set away to one",
    "make resolve FINDING=F-407d42a30076 MASK_KEY=$HOME/drill-keys/drill-mask.key": "a finding of the reader's, and a "
    "terminal; tests/commands/test_resolving.py has both",
    "PGHOST=db PGDATABASE=shop make recover TENANT=42 BACKUPS=/var/backups/shop PROFILE=verify/profiles/shop "
    "SITES_DATA=/srv/shop/media OUT=reports/out MERGE=1": "a person's yes on a terminal; tests/recovery/test_recover.py says "
    "it",
    "PGHOST=db PGDATABASE=shop make recover BACKUPS=/var/backups/shop APP=/srv/shop PROFILE=verify/profiles/shop "
    "SITES_DATA=/srv/media OUT=reports/out": "an application that runs; tests/recovery/whole/test_application.py has one",
    "PGHOST=db PGDATABASE=shop make recover RESUME=reports/out/recoveries/20261129T020000Z-1a2b3c.jsonl BACK=1": "a "
    "recovery that was made; tests/recovery/whole/test_application.py goes back from one",
    "PGHOST=db PGDATABASE=shop make recover RESUME=reports/out/recoveries/20261130T020000Z-4d5e6f.jsonl": "a recovery that "
    "was broken off; tests/recovery/owned_files/test_broken_off.py settles one",
}


@pytest.fixture(scope="module")
def bigserver() -> Iterator[Server]:
    """A server of the reader's own, with the role that the documents make for drills."""
    statement = re.search(
        r"```sql\nCREATE ROLE drill (.*);\n```", (ROOT / "docs" / "drill-your-backups.md").read_text()
    )
    assert statement
    with another_server(ServerRequest("b165e4e4", choice="local")) as (server, _), server.connect() as connection:
        connection.execute(f"CREATE ROLE drill {statement[1]} PASSWORD 'p4ssw0rd'")
        yield server


@pytest.fixture(scope="module")
def reader(
    healthy: Healthy, whole_set: Path, bigserver: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    """Has what the documents speak of: sets, an application, a database in production, keys, a fleet's reports."""
    folder = tmp_path_factory.mktemp("reader")
    var, key, production = folder / "var", age_key(folder, "igny8.key"), healthy.server
    for name in ("shop", "igny8", "beside"):
        (var / "backups" / name).mkdir(parents=True)
    shutil.copytree(whole_set, var / "backups" / "shop" / whole_set.name)
    places = {
        **{f"/var/backups/{name}": str(var / "backups" / name) for name in ("shop", "igny8", "beside")},
        **{f"/var/cache/{name}": str(var / "cache" / name) for name in ("drill", "drills")},
        **dict.fromkeys(("/srv/shop", "/srv/igny8/backend", "/srv/release/backend"), str(_application(folder / "srv"))),
        **dict.fromkeys(("/srv/shop/media", "/data/app/sites-data"), str(healthy.built.sites_data)),
        "/data/app/logs": str(healthy.built.logs),
        "/var/lib/restore-drill": str(var / "lib"),
        "age1…": key.recipient,
        "postgresql://drill@bigserver/postgres": f"postgresql://drill@/postgres?host={bigserver.host}",
        "PGHOST=db": f"PGHOST={production.host}",
        "PGUSER=backup": f"PGUSER={production.user}",
        **dict.fromkeys(("PGDATABASE=igny8", "PGDATABASE=shop"), f"PGDATABASE={healthy.built.database}"),
    }
    own = {
        "PGHOST": production.host,
        "PGPORT": str(production.port),
        "PGUSER": production.user,
        "PGDATABASE": healthy.built.database,
    }
    made = Reader(folder / "of", places, own)
    shutil.copy2(key.file, made.home / "igny8.key")
    passwords = made.home / ".pgpass"
    passwords.write_text(f"*:*:*:{production.user}:{production.password}\n*:*:*:drill:p4ssw0rd\n")
    passwords.chmod(0o600)
    made.own["PGPASSFILE"] = str(passwords)
    (made.checkout / "fleet.toml").write_text(_fleet(made.checkout))
    assert made.types("make venv").returncode == 0
    # What other tests left behind is no concern of its remove-leftovers.
    with tempfile.TemporaryDirectory(prefix="rdr-") as private, at_work_on(production):
        Path(private).chmod(0o1777)
        made.own["TMPDIR"] = private
        yield made


def _application(folder: Path) -> Path:
    """The sample's checkout with an interpreter of its own, where a drill looks for it."""
    shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("backups"))
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


def _fleet(checkout: Path) -> str:
    """The documents' own, of which one database is the sample."""
    text = (ROOT / "docs" / "run-it-every-night.md").read_text()
    shown = re.search(r"```toml\n(every_hours.*?)```", text, re.DOTALL)
    assert shown
    return shown[1].replace("s3://backups/eu-1", str(checkout / "sample" / "backups"))


def before(line: str, reader: Reader) -> None:
    """What the reader does between two lines."""
    shop, keys = reader.checkout / "verify" / "profiles" / "shop" / "profile.toml", reader.home / "drill-keys"
    if line.startswith("make check-profile"):
        shutil.copytree(shop.parent, reader.home / "drafted" / "shop")
    if line.startswith("make prune"):
        shop.write_text(shop.read_text() + "\n[schedule]\nevery_hours = 24\nsince = 2026-01-01\nkeep_daily = 7\n")
    if line.startswith("make sign-off"):
        shutil.copy2(keys / "drill-signing.key", reader.checkout / "their.key")
    if line.startswith("restore-drill fleet report"):
        shutil.copy2(keys / "drill-signing.pub", reader.checkout)
        lib = Path(reader.places["/var/lib/restore-drill"])
        shutil.copytree(reader.checkout / "reports" / "out", lib / "eu-1", symlinks=True)


def test_every_documented_command_is_run_or_listed_and_none_that_is_gone() -> None:
    covered = {line for run in RUNS for line in run.covered}
    assert [line for line in DOCUMENTED if line not in covered and line not in NOT_RUN] == []
    assert [line for line in NOT_RUN if line not in DOCUMENTED or line in covered] == []
    for run in RUNS:
        typed = frozenset[str]().union(*(asked(line).names for line in run.covered))
        assert asked(run.line).names <= typed, f"no document says {run.line}"


@pytest.mark.whole
def test_every_documented_command_does_what_its_document_says(
    reader: Reader, standing: Standing, whole_set: Path, tmp_path: Path
) -> None:
    failures = []
    for run in RUNS:
        before(run.line, reader)
        places, shell = (
            {name: reader.places.get(place, place) for name, place in each.items()} for each in (run.places, run.shell)
        )
        done = reader.types(run.line, places, shell)
        if done.returncode != run.code or run.says not in done.stdout:
            failures.append(f"$ {run.line}\nended with {done.returncode}\n{done.stdout[-3000:]}")
    assert failures == [], "\n\n".join(failures)
    elsewhere, proven, gate = (
        Drill(0, "", folder.parent) for folder in sorted((reader.checkout / "reports" / "out").glob("2*/evidence.json"))
    )
    assert gate.evidence.record.cached_start
    # All that a draft says of the application is tried on it; the set is loaded as by any profile.
    really = MIGRATED | VISITED | STOOD_UP
    drafted = reader.home / "drafted" / "shop"
    expect_no_fault_and_no_verdict(standing.drill(whole_set.parent, tmp_path / "out", profile=drafted, really=really))
    assert [each.evidence.verdict for each in (elsewhere, proven, gate)] == ["INCONCLUSIVE", "VERIFIED", "VERIFIED"]
    assert set(elsewhere.blocked) == {"TEN-12"}
    assert elsewhere.red == {}
    server, proving = elsewhere.evidence.record.server, proven.evidence.proving
    assert server is not None
    assert server.provider.startswith("scratch")
    assert proving is not None
    assert not proving.blind
    assert any(Path(reader.places["/var/cache/drill"]).iterdir())
    assert (gate.evidence.kind, proven.evidence.signed_by is None, proven.evidence.masking.kept) == (
        "gate",
        False,
        True,
    )


def expect_no_fault_and_no_verdict(outcome: Drill) -> None:
    """What a draft cannot know is blocked: the health view, how often sets are taken; and the set that was taken by another
    profile tells no sums of the columns that only the draft calls money."""
    assert outcome.red == {}
    assert (outcome.exit_code, outcome.evidence.verdict) == (2, "INCONCLUSIVE")
    assert outcome.evidence.headline.startswith("unconfirmed profile: application, backup, targets, ")
    assert set(outcome.blocked) == {"APP-04", "BAK-10", "BAK-11", "FID-06"}
    documents = ("evidence.json", "index.html", "summary.md", "runbook.md", "junit.xml")
    assert [name for name in documents if "unconfirmed profile" not in (outcome.directory / name).read_text()] == []
    assert outcome.result("BIL-01", "igny8_credit_ledger").outcome == "passed"
