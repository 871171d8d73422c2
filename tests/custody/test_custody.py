"""A signed report can be checked by anyone offline, and no altered file, cut ledger or foreign key passes."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.custody.attestation import BUNDLE, ENVELOPE, SIGNATURE, SIGNED_BYTES, attest
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.custody.keys import PASSPHRASE, PRIVATE, PUBLIC, KeyFault, make_keys, read_public_key, read_signer
from fixtures.custody.lines import SIGNATURES
from fixtures.custody.retention import remove_old
from fixtures.custody.verify import Checked, verify_report
from fixtures.record.evidence import Evidence
from reports.render import DOCUMENTS, render
from tests.support import evidence_examples as examples

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stocked")
    private, public = make_keys(folder / "keys")
    made = Shelf(folder / "out", private, public)
    for night in range(3):
        made.drilled(night, examples.failed() if night == 1 else examples.verified())
    return folder


@pytest.fixture
def shelf(stocked: Path, tmp_path: Path) -> Shelf:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    return Shelf(tmp_path / "out", tmp_path / "keys" / PRIVATE, tmp_path / "keys" / PUBLIC)


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "fixtures.commands.custody", *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_signed_report_is_in_order_and_says_what_was_checked(shelf: Shelf) -> None:
    checked = shelf.check(every=timedelta(hours=26))
    assert (checked.wrong, checked.signed, checked.verdict) == ([], True, "VERIFIED")
    told = " ".join(checked.confirmed)
    assert "evidence.json is the file that the ledger has" in told
    assert f"{len(DOCUMENTS) + 1} files are as they were signed" in told
    assert "the ledger's 3 drills follow one another" in told


def _altered(name: str) -> Callable[[Shelf], None]:
    def alter(shelf: Shelf) -> None:
        file = shelf.runs[-1] / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(bytes(content))

    return alter


def _verdict_made_good(shelf: Shelf) -> None:
    """Everything that needs no key: the evidence, and the ledger's line with a digest that fits."""
    file = shelf.runs[1] / "evidence.json"
    file.write_text(file.read_text().replace('"FAILED"', '"VERIFIED"', 1))
    lines = [json.loads(line) for line in (shelf.out / NAME).read_text().splitlines()]
    lines[1] |= {"verdict": "VERIFIED", "evidence_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    (shelf.out / NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))


def _without_line(number: int) -> Callable[[Shelf], None]:
    def cut(shelf: Shelf) -> None:
        lines = (shelf.out / NAME).read_text().splitlines(keepends=True)
        del lines[number]
        (shelf.out / NAME).write_text("".join(lines))

    return cut


def _exchanged(folder: Path, other: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(other, folder)


def _replaced(file: Path, words: bytes, others: bytes) -> None:
    content = file.read_bytes()
    assert words in content
    file.write_bytes(content.replace(words, others, 1))


def _linked(file: Path) -> None:
    elsewhere = file.parent.parent.parent / file.name
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


def _made_up(shelf: Shelf, attestation: str | None) -> None:
    """A line that follows the last one as it should, of a night on which nobody drilled."""
    last = (shelf.out / NAME).read_bytes().splitlines()[-1]
    line = json.loads(last) | {
        "run_id": "20261104T030000Z-aaaaaa",
        "previous": hashlib.sha256(last).hexdigest(),
        "attestation_sha256": attestation,
        "evidence_sha256": "0" * 64,
    }
    (shelf.out / NAME).write_bytes((shelf.out / NAME).read_bytes() + json.dumps(line).encode() + b"\n")


TAMPERED: dict[str, tuple[Callable[[Shelf], None], int, str]] = {
    "the evidence": (_altered("evidence.json"), -1, "evidence.json"),
    **{name: (_altered(name), -1, f"{name} is gone or was altered since it was signed") for name in DOCUMENTS},
    "a document that is gone": (
        lambda shelf: (shelf.runs[-1] / "summary.md").unlink(),
        -1,
        "summary.md is gone or was altered since it was signed",
    ),
    "the envelope": (_altered(ENVELOPE), -1, f"{ENVELOPE} is not the one that the ledger has"),
    "the envelope that is gone": (
        lambda shelf: (shelf.runs[-1] / ENVELOPE).unlink(),
        -1,
        "the ledger says that this drill was signed",
    ),
    "a verdict that was made good": (_verdict_made_good, 1, "evidence.json is gone or was altered since it was signed"),
    "a ledger without its last line": (_without_line(2), 0, "the ledger has no line for the run 20261103T030000Z"),
    "a ledger without a line between": (_without_line(1), -1, "does not follow the line before it"),
    "a ledger that is gone": (lambda shelf: (shelf.out / NAME).unlink(), -1, "the ledger has no line for"),
    "an old report in a newer folder": (
        lambda shelf: _exchanged(shelf.runs[2], shelf.runs[0]),
        2,
        "the folder 20261103T030000Z-aaaaaa holds the report of 20261101T030000Z-aaaaaa",
    ),
    "latest that points at an older run": (
        lambda shelf: (shelf.out / "latest").symlink_to(shelf.runs[0].name),
        0,
        "latest points at 20261101T030000Z-aaaaaa, and the last drill is 20261103T030000Z-aaaaaa",
    ),
    "nights that never were": (
        lambda shelf: _made_up(shelf, None),
        2,
        "the ledger's line of 20261104T030000Z-aaaaaa (VERIFIED) has no signature",
    ),
    "nights that never were, with a digest for a signature": (
        lambda shelf: _made_up(shelf, "0" * 64),
        2,
        "the ledger's line of 20261104T030000Z-aaaaaa (VERIFIED) was signed, and neither its report nor its signature",
    ),
    "the report of another night that is gone": (
        lambda shelf: shutil.rmtree(shelf.runs[1]),
        1,
        "the ledger's line of 20261102T030000Z-aaaaaa (FAILED) was signed, and neither",
    ),
    "the evidence of another night": (
        lambda shelf: _replaced(shelf.runs[1] / "evidence.json", b'"FAILED"', b'"VERIFIED"'),
        2,
        "evidence.json in its folder is not the file that the ledger has",
    ),
    "a key that stands twice in the evidence": (
        lambda shelf: _replaced(shelf.runs[2] / "evidence.json", b"{", b'{"verdict":"VERIFIED",'),
        2,
        "evidence.json is not evidence that this version reads",
    ),
    "a key that stands twice in the envelope": (
        lambda shelf: _replaced(shelf.runs[2] / ENVELOPE, b"{", b'{"payload":"AAAA",'),
        2,
        f"{ENVELOPE} is no DSSE envelope",
    ),
    **{
        f"{name} of the signature": (_altered(name), -1, f"{name} is gone or was altered: it is not the signature")
        for name in (BUNDLE, SIGNED_BYTES, SIGNATURE)
    },
    "a document that became a link": (
        lambda shelf: _linked(shelf.runs[2] / "index.html"),
        2,
        "index.html is a link: a report holds files of its own",
    ),
    "a document that was added": (
        lambda shelf: (shelf.runs[2] / "index2.html").write_text("VERIFIED"),
        2,
        "index2.html was added after the drill",
    ),
    "a folder that was added": (
        lambda shelf: (shelf.runs[2] / "extra").mkdir(),
        2,
        "extra was added after the drill",
    ),
    "a note in the place of a document that was made": (
        lambda shelf: (shelf.runs[2] / "summary.md.not-made.txt").write_text("it could not be made"),
        2,
        "summary.md.not-made.txt was added after the drill",
    ),
    "another night's envelope": (
        lambda shelf: (shelf.runs[2] / ENVELOPE).write_bytes((shelf.runs[0] / ENVELOPE).read_bytes()),
        2,
        "the signature is of another drill",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_was_tampered_with_is_told(what: str, shelf: Shelf) -> None:
    tamper, run, told = TAMPERED[what]
    tamper(shelf)
    checked = shelf.check(run)
    assert told in "\n".join(checked.wrong), checked.wrong


def test_a_foreign_key_vouches_for_nothing(shelf: Shelf, tmp_path: Path) -> None:
    _, foreign = make_keys(tmp_path / "foreign")
    checked = shelf.check(key=foreign)
    assert not checked.signed
    assert "signed by another" in "\n".join(checked.wrong)
    assert verify_report(shelf.runs[-1], None).wrong == [f"{ENVELOPE} is there, and no key was given to check it with"]


def test_a_missed_night_is_told(shelf: Shelf) -> None:
    assert shelf.check(every=timedelta(hours=26)).wrong == []
    shelf.drilled(5, examples.verified())
    (told,) = shelf.check(every=timedelta(hours=26), now=FIRST + 6 * DAY).wrong
    assert told == (
        "no drill between 2026-11-03 03:00 UTC and 2026-11-06 03:00 UTC, 72.0 hours where one was due every 26.0 hours"
    )


def test_a_night_that_was_missed_since_the_last_drill_is_told(shelf: Shelf) -> None:
    assert shelf.check(every=timedelta(hours=26), now=FIRST + 3 * DAY).wrong == []
    (told,) = shelf.check(every=timedelta(hours=26), now=FIRST + 4 * DAY).wrong
    assert told == "no drill since 2026-11-03 03:00 UTC, 48.0 hours ago, where one is due every 26.0 hours"


def test_a_document_that_another_machine_made_later_is_told_and_nothing_else_may_come(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    shelf = Shelf(tmp_path / "out", private, public)
    run = shelf.drilled(2, examples.verified(), not_made="audit.pdf")
    assert shelf.check().unchecked[:-1] == []
    (run / "audit.pdf.not-made.txt").unlink()
    (run / "audit.pdf").write_bytes(b"%PDF")
    checked = shelf.check(every=2 * DAY)
    assert checked.wrong == []
    assert checked.unchecked == ["audit.pdf: it was made after the signature; make report makes it again"]
    (run / "summary.txt").write_text("VERIFIED")
    (told,) = shelf.check().wrong
    assert told == "summary.txt was added after the drill: it is no part of this report"


def by_openssl(shelf: Shelf, key: Path, home: Path) -> tuple[int, str]:
    """What the README's own commands print, run as they stand there, on the newest report."""
    (commands,) = re.findall(
        r"```sh\n(cd reports/out/latest\nopenssl .*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    (home / "drill-keys").mkdir(parents=True, exist_ok=True)
    shutil.copy(key, home / "drill-keys" / PUBLIC)
    (home / "reports").mkdir(exist_ok=True)
    latest = shelf.out / "latest"
    if not latest.is_symlink():
        latest.symlink_to(shelf.runs[-1].name)
        (home / "reports" / "out").symlink_to(shelf.out)
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(["bash", "-c", commands], cwd=home, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_openssl_alone_checks_it_by_the_commands_of_the_readme(shelf: Shelf, tmp_path: Path) -> None:
    assert by_openssl(shelf, shelf.public, tmp_path / "home") == (0, "Verified OK\n")
    _, foreign = make_keys(tmp_path / "foreign")
    assert "Verified OK" not in by_openssl(shelf, foreign, tmp_path / "home")[1]
    for name in DOCUMENTS:
        file = shelf.out / "latest" / name
        content = file.read_bytes()
        file.write_bytes(content + b" ")
        assert by_openssl(shelf, shelf.public, tmp_path / "home")[1] == f"Verified OK\n{name} was altered or is gone\n"
        file.write_bytes(content)
    (shelf.out / "latest" / "evidence.json").unlink()
    assert "evidence.json was altered or is gone" in by_openssl(shelf, shelf.public, tmp_path / "home")[1]


def test_openssl_alone_sees_a_cut_ledger_and_a_signature_that_was_altered(shelf: Shelf, tmp_path: Path) -> None:
    lines = (shelf.out / NAME).read_text().splitlines(keepends=True)
    (shelf.out / NAME).write_text(lines[0] + lines[2])
    assert "the ledger is broken before" in by_openssl(shelf, shelf.public, tmp_path / "home")[1]
    (shelf.out / NAME).write_text("".join(lines[:2]))
    assert "the ledger has another signature" in by_openssl(shelf, shelf.public, tmp_path / "home")[1]
    signed = shelf.out / "latest" / SIGNED_BYTES
    signed.write_bytes(signed.read_bytes().replace(b"VERIFIED", b"verified"))
    assert "Verified OK" not in by_openssl(shelf, shelf.public, tmp_path / "home")[1]


def test_the_bundle_holds_the_same_statement(shelf: Shelf) -> None:
    bundle = json.loads((shelf.runs[-1] / BUNDLE).read_bytes())
    envelope = json.loads((shelf.runs[-1] / ENVELOPE).read_bytes())
    assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle["verificationMaterial"]["publicKey"]["hint"] == envelope["signatures"][0]["keyid"]
    assert bundle["dsseEnvelope"]["payload"] == envelope["payload"]
    assert bundle["dsseEnvelope"]["signatures"][0]["sig"] == envelope["signatures"][0]["sig"]


def test_an_unsigned_report_is_told_as_that(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    run = Shelf(tmp_path / "out", private, public).drilled(3, examples.verified(), signed=False)
    done = command("verify", run)
    assert done.returncode == 2
    assert done.stdout.splitlines()[0].endswith("in order, and unsigned; its verdict is VERIFIED")
    done = command("verify", run, "--public-key", public)
    assert done.returncode == 1
    assert "a key was given to check this report with, and the report is not signed" in done.stdout


def test_a_line_without_a_signature_after_signed_ones_is_told(shelf: Shelf) -> None:
    run = shelf.drilled(3, examples.verified(), signed=False)
    for report in (shelf.runs[0], run):
        done = command("verify", report, "--public-key", shelf.public)
        assert done.returncode == 1
        assert f"the ledger's line of {run.name} (VERIFIED) has no signature" in done.stdout


def test_a_reviewer_signs_off_and_the_report_stays_as_it_was(shelf: Shelf, tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "reviewer")
    run = shelf.runs[-1]
    done = command("sign-off", run, "--reviewer", "R. Eviewer", "--signing-key", private)
    assert done.returncode == 0, done.stderr
    done = command("verify", run, "--public-key", shelf.public, "--reviewer-key", public)
    assert done.returncode == 0, done.stdout
    assert "signed off by R. Eviewer" in done.stdout
    done = command("verify", run, "--public-key", shelf.public, "--reviewer-key", shelf.public)
    assert done.returncode == 1
    assert "was not signed with this key" in done.stdout


def test_a_sign_off_is_for_the_evidence_that_was_read(shelf: Shelf, tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "reviewer")
    assert command("sign-off", shelf.runs[0], "--reviewer", "R. Eviewer", "--signing-key", private).returncode == 0
    (sign_off,) = (shelf.runs[0] / "sign-offs").iterdir()
    other = shelf.runs[2] / "sign-offs"
    other.mkdir()
    sign_off.rename(other / sign_off.name)
    done = command("verify", shelf.runs[2], "--public-key", shelf.public, "--reviewer-key", public)
    assert done.returncode == 1
    assert "is for other evidence" in done.stdout


def test_keys_are_never_replaced_and_never_readable_by_others(tmp_path: Path) -> None:
    private, _ = make_keys(tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(KeyFault, match="keys are never replaced"):
        make_keys(tmp_path)
    private.chmod(0o640)
    with pytest.raises(KeyFault, match="mode 640: others can read it"):
        read_signer(private)
    private.chmod(0o600)
    private.write_text("no key")
    with pytest.raises(KeyFault, match="holds no private key"):
        read_signer(private)
    with pytest.raises(KeyFault, match="cannot be read"):
        read_public_key(tmp_path / "nowhere")


def test_an_encrypted_key_needs_its_passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = make_keys(tmp_path, b"open sesame")
    with pytest.raises(KeyFault, match=f"is encrypted: set {PASSPHRASE}"):
        read_signer(private)
    monkeypatch.setenv(PASSPHRASE, "wrong")
    with pytest.raises(KeyFault, match="is not its passphrase"):
        read_signer(private)
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert read_signer(private).public_key.keyid == read_public_key(public).keyid


def test_old_reports_go_and_the_last_good_one_and_every_signature_stay(shelf: Shelf) -> None:
    shelf.drilled(3, examples.failed())
    (shelf.out / "latest").symlink_to(shelf.runs[-1].name)
    names = [run.name for run in shelf.runs if not run.is_symlink()]
    removed = remove_old(shelf.out, timedelta(0), FIRST + 30 * DAY)
    assert removed == names[:2]
    kept = shelf.out / SIGNATURES
    assert [run.name for run in shelf.runs if not run.is_symlink()] == [*names[2:], kept.name]
    assert [file.stem for file in sorted(kept.iterdir())] == names[:2]
    assert verify_report(shelf.out / names[2], read_public_key(shelf.public)).wrong == []
    (kept / f"{names[0]}.json").write_bytes((kept / f"{names[1]}.json").read_bytes())
    (told,) = verify_report(shelf.out / names[2], read_public_key(shelf.public)).wrong
    assert told == f"the ledger's line of {names[0]} (VERIFIED): its signature is not the one that the ledger has"


def test_reports_that_nobody_signed_are_removed_in_order_too(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    shelf = Shelf(tmp_path / "out", private, public)
    for night in range(3):
        shelf.drilled(night, examples.verified(), signed=False)
    (shelf.out / "latest").symlink_to(shelf.runs[-1].name)
    (first, second) = remove_old(shelf.out, timedelta(0), FIRST + 30 * DAY)
    assert verify_report(shelf.out / "latest", None).wrong == []
    (shelf.out / SIGNATURES / f"{first}.json").unlink()
    (told,) = verify_report(shelf.out / "latest", None).wrong
    assert told.startswith(f"the ledger's line of {first} (VERIFIED) has no report any more")
    assert second not in told
