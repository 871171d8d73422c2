"""A fleet whose databases have reports of drills that ended when a test says so."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fixtures.commands.fleet.__main__ import main
from fixtures.custody.attestation import attest
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.custody.keys import make_keys, read_signer
from fixtures.record.evidence import Evidence
from fixtures.record.fleet import FleetReport
from tests.support import evidence_examples as examples

NOW = datetime.now(UTC).replace(microsecond=0)
VERIFIED = examples.verified()
DEFAULTS = '[defaults]\napp = "/srv/igny8"\nprofile = "igny8"\nout = "/var/lib/restore-drill"\n'


class Fleet:
    """A fleet's file, and the reports of its databases as their drills leave them."""

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.runs, self.file = folder, folder / "runs", folder / "fleet.toml"
        self.runs.mkdir()
        self.private, self.public = make_keys(folder / "keys")
        databases = (f'[[database]]\nname = "{name}"\nbackups = "s3://backups/{name}"\n' for name in names)
        self.file.write_text(DEFAULTS + "".join(databases))

    def drilled(self, name: str, evidence: Evidence = VERIFIED, *, hours: float = 1, key: Path | None = None) -> Path:
        """The folder of a drill that ended so many hours ago."""
        return self.entered(name, evidence, hours, key or self.private)

    def entered(self, name: str, evidence: Evidence, hours: float, key: Path | None) -> Path:
        at = NOW - timedelta(hours=hours)
        backup_set = evidence.record.backup_set
        assert backup_set is not None
        moved = backup_set.model_copy(update={"location": f"s3://backups/{name}"})
        record = evidence.record.model_copy(update={"backup_set": moved})
        names = {"run_id": f"{at:%Y%m%dT%H%M%SZ}-aaaaaa", "finished_at": at, "record": record}
        evidence = evidence.model_copy(update=names)
        run = self.runs / name / evidence.run_id
        run.mkdir(parents=True)
        (run / "evidence.json").write_bytes(evidence.written)
        return self.vouched(name, run, evidence, key)

    def vouched(self, name: str, run: Path, evidence: Evidence, key: Path | None) -> Path:
        """Enters what lies in the folder of a run, and signs it where there is a key."""
        digest = hashlib.sha256(evidence.written).hexdigest()
        signer = read_signer(key) if key is not None else None
        enter_drill(
            self.runs / name / NAME,
            evidence,
            digest,
            lambda previous: attest(run, evidence, signer, previous) if signer is not None else None,
        )
        return run

    def reported(self, runs: str = "") -> tuple[int, FleetReport, str]:
        """The exit code, the JSON and the page."""
        into = self.folder / "report"
        options = ["--runs", runs or str(self.runs), "--public-key", str(self.public), "--into", str(into)]
        code = main(["report", "--fleet", str(self.file), *options])
        report = FleetReport.model_validate_json((into / "fleet.json").read_bytes())
        return code, report, (into / "fleet.html").read_text()
