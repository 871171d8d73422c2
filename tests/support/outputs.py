"""Everything that a drill put out, laid open, and the search for what must be in none of it."""

import base64
import binascii
import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pikepdf

from sample.igny8_core.igny8.filling import canary
from tests.support.drills import Drill

PDF = "audit.pdf stream"
WRITTEN = ("allure-results/", PDF, "queries.jsonl")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


def everything_put_out(outcome: Drill) -> dict[str, bytes]:
    """By name: the files of the run and what lies beside it (the ledger, the log of what was resolved), whatever was
    packed in them, and what was printed."""
    out = outcome.directory.parent
    files = [path for path in out.rglob("*") if path.is_file() and not path.is_symlink()]
    opened = {"the names of the files": "\n".join(str(path.relative_to(out)) for path in files).encode()}
    for path in files:
        for part, content in _laid_open(path):
            opened[f"{path.relative_to(out)}{part}"] = content
    return opened | {"what was printed": outcome.output.encode()}


def _laid_open(path: Path) -> Iterator[tuple[str, bytes]]:
    content = path.read_bytes()
    yield "", content
    if path.suffix == ".pdf":
        yield from _pages(path)
    if path.suffix in (".json", ".jsonl"):
        for place, packed in enumerate(_BASE64.findall(content)):
            try:
                yield f" base64 {place}", base64.b64decode(packed, validate=True)
            except (binascii.Error, ValueError):
                continue


def _pages(path: Path) -> Iterator[tuple[str, bytes]]:
    """What is packed in a PDF, its attachments among it, and its pages as text, where this machine can read them."""
    with pikepdf.open(path) as document:
        for place, thing in enumerate(document.objects):
            if isinstance(thing, pikepdf.Stream):
                try:
                    yield f" stream {place}", thing.read_bytes()
                except pikepdf.PdfError:
                    yield f" stream {place}", thing.read_raw_bytes()
    if program := shutil.which("pdftotext"):
        yield " pages", subprocess.run([program, "-raw", path, "-"], capture_output=True, check=True).stdout


def nothing_told(
    outcome: Drill, *more: str, besides: dict[str, bytes] | None = None, without: tuple[str, ...] = ()
) -> None:
    """Fails with the name of what told, not with what it told. `more` are secrets of this drill alone, `besides` what it
    put out in other places than its folder, `without` the parts of WRITTEN that it was not asked for."""
    written = everything_put_out(outcome) | (besides or {})
    names = {Path(name).suffix for name in written}
    assert {".json", ".html", ".md", ".xml", ".prom", ".jsonl"} <= names
    assert [part for part in WRITTEN if not any(part in name for name in written)] == list(without)
    for number, secret in enumerate((*canary.ALL, *more)):
        for form in forms(secret):
            places = [name for name, content in written.items() if form in content]
            assert not places, f"secret {number} is in {places}"


def forms(secret: str) -> set[bytes]:
    """As it stands, as JSON, HTML, URLs, UTF-16 and hex would write it, in groups of four, and as a hash without a key."""
    spelled = {
        secret,
        secret.upper(),
        secret.lower(),
        secret.replace(" ", "%20"),
        secret.replace(" ", "&#32;"),
        secret.replace("@", "&#64;"),
        secret.replace("@", "%40"),
        secret.replace("@", "\\u0040"),
        *(separator.join(re.findall(".{1,4}", secret)) for separator in (" ", "-") if secret.isdigit()),
    }
    plain = secret.encode()
    hashed = {hashlib.new(name, plain, usedforsecurity=False).hexdigest()[:12] for name in ("md5", "sha1", "sha256")}
    coded = {plain.hex(), plain.hex().upper(), base64.b64encode(plain).decode().rstrip("=")[:-1], *hashed}
    return {each.encode() for each in spelled | coded} | {secret.encode("utf-16-be"), secret.encode("utf-16-le")}
