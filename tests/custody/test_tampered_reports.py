"""Whatever was altered, exchanged, added or removed in a report or its ledger is told."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.custody.attestation import BUNDLE, ENVELOPE, SIGNATURE, SIGNED_BYTES
from fixtures.custody.drill_ledger import NAME
from reports.render import DOCUMENTS
from tests.support.report_shelf import Shelf


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
        "evidence.json is not evidence that this version reads: the key 'verdict' stands in it twice",
    ),
    "a key that stands twice in the envelope": (
        lambda shelf: _replaced(shelf.runs[2] / ENVELOPE, b"{", b'{"payload":"AAAA",'),
        2,
        f"{ENVELOPE} is no DSSE envelope: the key 'payload' stands in it twice",
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
    tamper, run, problem = TAMPERED[what]
    tamper(shelf)
    checked = shelf.check(run)
    assert problem in "\n".join(checked.wrong), checked.wrong
