"""Sets that lie in a store of the test's own, and what fetches them from there."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.shelf.locate import LocatedSet, locate
from fixtures.shelf.stores.address import Address, parse_backups
from fixtures.shelf.stores.courier import Courier
from tests.support.small_source import PROFILE

OLDER, NEWER = "igny8_20261120_031500", "igny8_20261121_031500"


def lay_out(folder: Path, stem: str, dump: bytes, **fields: Any) -> Path:
    """A set as a store keeps it; its dump only begins like one, since nothing here restores it."""
    where = folder / stem
    where.mkdir(parents=True)
    files = {"dump": (f"{stem}.dump", dump), "roles": (f"{stem}.roles.sql", b"-- none\n")}
    for name, content in files.values():
        (where / name).write_bytes(content)
    manifest = {
        "format": 1,
        "application": "igny8",
        "database": "igny8",
        "snapshot_at": f"{stem[6:10]}-{stem[10:12]}-{stem[12:14]}T03:15:00Z",
        "server_version": "15.8",
        "pg_dump_version": "15.8",
        "suite_version": "0",
        "files": {
            role: {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for role, (name, content) in files.items()
        },
        "tables": {},
        "large_objects": 0,
    }
    (where / f"{stem}.manifest.json").write_text(json.dumps(manifest | fields))
    return where


def courier(url: str, folder: Path, guardian: Guardian, **options: Any) -> Courier:
    address = parse_backups(url)
    assert isinstance(address, Address)
    return Courier(address, folder, guardian, **{"limit": 120} | options)


def located(url: str, folder: Path, guardian: Guardian, name: str | None = None, **options: Any) -> LocatedSet:
    sent = courier(url, folder, guardian, **options)
    return locate(sent.stock(), PROFILE, name=name, supply=sent)


def set_environment(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
