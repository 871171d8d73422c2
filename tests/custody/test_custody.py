"""A signed report can be checked by anyone offline, and no foreign key passes."""

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from fixtures.commands.custody.__main__ import main
from fixtures.custody.attestation import BUNDLE, ENVELOPE, SIGNED_BYTES
from fixtures.custody.drill_ledger import NAME
from fixtures.custody.key_files import KeyFault
from fixtures.custody.keys import PASSPHRASE, PASSPHRASE_FILE, PRIVATE, PUBLIC, make_keys, read_public_key, read_signer
from fixtures.custody.lines import SIGNATURES
from fixtures.custody.retention import remove_old
from fixtures.custody.verify import verify_report
from reports.render import DOCUMENTS
from tests.support import evidence_examples as examples
from tests.support.called import called
from tests.support.report_shelf import DAY, FIRST, Shelf

ROOT = Path(__file__).resolve().parents[2]


command = partial(called, main)


def test_a_signed_report_is_in_order_and_says_what_was_checked(shelf: Shelf) -> None:
    checked = shelf.check(every=timedelta(hours=26))
    assert (checked.wrong, checked.signed, checked.verdict) == ([], True, "VERIFIED")
    confirmed = " ".join(checked.confirmed)
    assert "evidence.json is the file that the ledger has" in confirmed
    assert f"{len(DOCUMENTS) + 1} files are as they were signed" in confirmed
    assert "the ledger's 3 drills follow one another" in confirmed


def test_a_foreign_key_vouches_for_nothing(shelf: Shelf, tmp_path: Path) -> None:
    _, foreign = make_keys(tmp_path / "foreign")
    checked = shelf.check(key=foreign)
    assert not checked.signed
    assert "signed by another" in "\n".join(checked.wrong)
    assert verify_report(shelf.runs[-1], None).wrong == [f"{ENVELOPE} is there, and no key was given to check it with"]


def test_a_missed_night_is_told(shelf: Shelf) -> None:
    assert shelf.check(every=timedelta(hours=26)).wrong == []
    shelf.drilled(5, examples.verified())
    (problem,) = shelf.check(every=timedelta(hours=26), now=FIRST + 6 * DAY).wrong
    assert problem == (
        "no drill between 2026-11-03 03:00 UTC and 2026-11-06 03:00 UTC, 3 d where one was due every 26 h"
    )


def test_a_night_that_was_missed_since_the_last_drill_is_told(shelf: Shelf) -> None:
    assert shelf.check(every=timedelta(hours=26), now=FIRST + 3 * DAY).wrong == []
    (problem,) = shelf.check(every=timedelta(hours=26), now=FIRST + 4 * DAY).wrong
    assert problem == "no drill since 2026-11-03 03:00 UTC, 2 d ago, where one is due every 26 h"


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
    (problem,) = shelf.check().wrong
    assert problem == "summary.txt was added after the drill: it is no part of this report"


def by_openssl(shelf: Shelf, key: Path, home: Path) -> tuple[int, str]:
    """What the commands for auditors print, run as they stand there, on the newest report."""
    (commands,) = re.findall(
        r"```sh\n(cd reports/out/latest\nopenssl .*?)```",
        (ROOT / "docs" / "prove-it-to-an-auditor.md").read_text(),
        re.DOTALL,
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


def test_openssl_alone_checks_it_by_the_documented_commands(shelf: Shelf, tmp_path: Path) -> None:
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


@pytest.mark.further
def test_an_unsigned_report_is_told_as_that(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    run = Shelf(tmp_path / "out", private, public).drilled(3, examples.verified(), signed=False)
    done = command("verify-report", run)
    assert done.returncode == 2
    assert done.stdout.splitlines()[0].endswith("in order, and unsigned; its verdict is VERIFIED")
    done = command("verify-report", run, "--public-key", public)
    assert done.returncode == 1
    assert "a key was given to check this report with, and the report is not signed" in done.stdout


@pytest.mark.further
def test_a_line_without_a_signature_after_signed_ones_is_told(shelf: Shelf) -> None:
    run = shelf.drilled(3, examples.verified(), signed=False)
    for report in (shelf.runs[0], run):
        done = command("verify-report", report, "--public-key", shelf.public)
        assert done.returncode == 1
        assert f"the ledger's line of {run.name} (VERIFIED) has no signature" in done.stdout


@pytest.mark.further
def test_a_reviewer_signs_off_and_the_report_stays_as_it_was(shelf: Shelf, tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "reviewer")
    run = shelf.runs[-1]
    done = command("sign-off", run, "--reviewer", "R. Eviewer", "--signing-key", private)
    assert done.returncode == 0, done.stderr
    done = command("verify-report", run, "--public-key", shelf.public, "--reviewer-key", public)
    assert done.returncode == 0, done.stdout
    assert "signed off by R. Eviewer" in done.stdout
    done = command("verify-report", run, "--public-key", shelf.public, "--reviewer-key", shelf.public)
    assert done.returncode == 1
    assert "was not signed with this key" in done.stdout


@pytest.mark.further
def test_a_sign_off_is_for_the_evidence_that_was_read(shelf: Shelf, tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "reviewer")
    assert command("sign-off", shelf.runs[0], "--reviewer", "R. Eviewer", "--signing-key", private).returncode == 0
    (sign_off,) = (shelf.runs[0] / "sign-offs").iterdir()
    other = shelf.runs[2] / "sign-offs"
    other.mkdir()
    sign_off.rename(other / sign_off.name)
    done = command("verify-report", shelf.runs[2], "--public-key", shelf.public, "--reviewer-key", public)
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
    with pytest.raises(KeyFault, match=f"is encrypted: set {PASSPHRASE}, or {PASSPHRASE_FILE}"):
        read_signer(private)
    monkeypatch.setenv(PASSPHRASE, "wrong")
    with pytest.raises(KeyFault, match=f"{PASSPHRASE} is not the passphrase of"):
        read_signer(private)
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert read_signer(private).public_key.keyid == read_public_key(public).keyid


@pytest.mark.further
def test_a_report_is_signed_with_an_encrypted_key_whose_passphrase_lies_in_a_file(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("open sesame\n")
    monkeypatch.setenv(PASSPHRASE_FILE, str(secret))
    run, keys = shelf.runs[-1], tmp_path / "reviewers"
    secret.chmod(0o644)
    refused = command("keys", keys)
    assert (refused.returncode, refused.stderr.rstrip().endswith("make it 600, or a new one")) == (2, True)
    secret.chmod(0o600)
    assert command("keys", keys).returncode == 0
    assert "ENCRYPTED" in (keys / PRIVATE).read_text()
    signing = ("sign-off", run, "--reviewer", "R. Eviewer", "--signing-key", keys / PRIVATE)
    secret.write_text("another\n")
    refused = command(*signing)
    assert (refused.returncode, refused.stderr) == (2, f"{PASSPHRASE_FILE} is not the passphrase of {keys / PRIVATE}\n")
    secret.write_text("open sesame\n")
    signed = command(*signing)
    assert signed.returncode == 0, signed.stderr
    checked = command("verify-report", run, "--public-key", shelf.public, "--reviewer-key", keys / PUBLIC)
    assert (checked.returncode, "signed off by R. Eviewer" in checked.stdout) == (0, True), checked.stdout
    written = [path for path in (*run.rglob("*"), *keys.iterdir()) if path.is_file()]
    assert not any(b"open sesame" in path.read_bytes() for path in written)
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert "are both set" in command(*signing).stderr


def test_old_reports_go_and_the_last_good_one_and_every_signature_stay(shelf: Shelf) -> None:
    shelf.drilled(3, examples.failed())
    (shelf.out / "latest").symlink_to(shelf.runs[-1].name)
    names = [run.name for run in shelf.runs if not run.is_symlink()]
    removed = remove_old(shelf.out, timedelta(0), FIRST + 30 * DAY)
    assert removed == names[:2]
    signatures = shelf.out / SIGNATURES
    assert [run.name for run in shelf.runs if not run.is_symlink()] == [*names[2:], signatures.name]
    assert [file.stem for file in sorted(signatures.iterdir())] == names[:2]
    assert verify_report(shelf.out / names[2], read_public_key(shelf.public)).wrong == []
    (signatures / f"{names[0]}.json").write_bytes((signatures / f"{names[1]}.json").read_bytes())
    (problem,) = verify_report(shelf.out / names[2], read_public_key(shelf.public)).wrong
    assert problem == f"the ledger's line of {names[0]} (VERIFIED): its signature is not the one that the ledger has"


@pytest.mark.further
def test_reports_that_nobody_signed_are_removed_in_order_too(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path / "keys")
    shelf = Shelf(tmp_path / "out", private, public)
    for night in range(3):
        shelf.drilled(night, examples.verified(), signed=False)
    (shelf.out / "latest").symlink_to(shelf.runs[-1].name)
    (first, second) = remove_old(shelf.out, timedelta(0), FIRST + 30 * DAY)
    assert verify_report(shelf.out / "latest", None).wrong == []
    (shelf.out / SIGNATURES / f"{first}.json").unlink()
    (problem,) = verify_report(shelf.out / "latest", None).wrong
    assert problem.startswith(f"the ledger's line of {first} (VERIFIED) has no report any more")
    assert second not in problem
