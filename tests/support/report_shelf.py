"""Keeps reports of several nights with their ledger, left by the code that a drill uses."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fixtures.custody.attestation import attest
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.custody.keys import read_public_key, read_signer
from fixtures.custody.verify import Checked, verify_report
from fixtures.record.evidence import Evidence
from reports.render import render

DAY = timedelta(days=1)
FIRST = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Shelf:
    """Reports of three nights, signed with one key, and their ledger."""

    out: Path
    private: Path
    public: Path

    @property
    def runs(self) -> list[Path]:
        return sorted(path for path in self.out.iterdir() if path.is_dir())

    def check(
        self, run: int = -1, *, key: Path | None = None, every: timedelta | None = None, now: datetime = FIRST + 2 * DAY
    ) -> Checked:
        return verify_report(self.runs[run], read_public_key(key or self.public), every, now=now)

    def drilled(self, night: int, evidence: Evidence, signed: bool = True, not_made: str = "") -> Path:
        """What a drill leaves behind, by the code that it uses."""
        at = FIRST + night * DAY
        evidence = evidence.model_copy(update={"run_id": f"{at:%Y%m%dT%H%M%SZ}-aaaaaa", "finished_at": at})
        run = self.out / evidence.run_id
        run.mkdir(parents=True)
        written = (evidence.model_dump_json(indent=1) + "\n").encode()
        (run / "evidence.json").write_bytes(written)
        render(evidence, run)
        if not_made:
            (run / not_made).unlink()
            (run / f"{not_made}.not-made.txt").write_text(f"{not_made} was not made")
        signer = read_signer(self.private)
        enter_drill(
            self.out / NAME,
            evidence,
            hashlib.sha256(written).hexdigest(),
            lambda previous: attest(run, evidence, signer, previous) if signed else None,
        )
        return run
