"""Builds small archives of sites, and reads them as a drill does."""

import hashlib
import io
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from fixtures.archives.reading import Allowance, Watch
from fixtures.profile.sites import SiteArchive
from fixtures.record.set_record import Artefact
from fixtures.record.site_archive import SitesData
from fixtures.sites.inventory import DefinitionKeys, read_sites

KEYS = DefinitionKeys("site-definition.json", "site_id", "tenant_id")
FOLDERS = SiteArchive(
    site_folder="sites-data/clients/{site}",
    version_folder="sites-data/clients/{site}/v{version}",
    current_link="sites-data/clients/{site}/current",
    definition="site-definition.json",
    definition_site="site_id",
    definition_tenant="tenant_id",
)
GOOD: list[tuple[str, bytes | str]] = [
    ("sites-data/clients/1/v1/index.html", b"old"),
    ("sites-data/clients/1/v2/index.html", b"new"),
    ("sites-data/clients/1/v2/site-definition.json", b'{"site_id": 1, "tenant_id": 9}'),
    ("sites-data/clients/1/v2/a-b.css", b"css"),
    ("sites-data/clients/1/v2/a/b.css", b"css below"),
    ("sites-data/clients/1/current", "v2"),
    ("sites-data/clients/1-x/v1/index.html", b"other"),
    ("sites-data/uploads/9/picture.png", b"png"),
]
CUT = "it is cut off: the data ends within an entry"


def tar(entries: list[tuple[str, bytes | str]], more: Callable[[tarfile.TarFile], None] | None = None) -> bytes:
    """A tar of files (bytes) and symbolic links (text), then whatever `more` adds."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        if more is not None:
            more(archive)
    return packed.getvalue()


def special(name: str, kind: bytes, target: str = "") -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, target
        archive.addfile(entry)

    return add


def read(folder: Path, packed: bytes, allowance: Allowance | None = None, sha256: str = "") -> SitesData:
    archive = folder / "sites.tar.gz"
    archive.write_bytes(packed)
    digest = sha256 or hashlib.sha256(packed).hexdigest()
    artefact = Artefact(role="sites", name=archive.name, size=len(packed), sha256=digest, mode=0o600, owner="me")
    return read_sites(archive, artefact, folder, Watch(time.monotonic() + 60), KEYS, allowance)
