"""The shop of two tenants with sites on disk and documents that rows name, its backup set, and production's own folder."""

import os
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from fixtures.commands.backup import Source as Production
from fixtures.commands.recovering.__main__ import Wish, recover
from fixtures.commands.recovering.tenants_files import FilesAtHand
from fixtures.database.catalogue import take_facts
from fixtures.profile import Profile
from fixtures.profile.reading import ReadProfile
from fixtures.record.record import DrillRecord
from fixtures.recovery.whole.folders import FolderPart
from fixtures.server import Server
from tests.sites.test_site_sources import read
from tests.support import record_examples, recovered_shop

SCHEMA = f"""
{recovered_shop.SCHEMA}
CREATE TABLE documents (id bigint PRIMARY KEY, site bigint REFERENCES sites, path text);
CREATE TABLE deployments (id bigint PRIMARY KEY, site bigint REFERENCES sites, version int, digest text, status text);
INSERT INTO documents SELECT g, g, 'uploads/' || 1 + g % 2 || '/' || g || '.pdf' FROM generate_series(1, 4) g;
INSERT INTO deployments SELECT g, g, 1, '', 'live' FROM generate_series(1, 4) g;
"""
PROFILE = Profile.model_validate(
    recovered_shop.PROFILE.model_dump(exclude_unset=True, by_alias=True)
    | {
        "sites": {
            **{"table": "sites", "key": "id", "tenant": "tenant", "status": "title", "deployed": ["live"]},
            "deployments": {
                **{"table": "deployments", "site": "site", "version": "version", "digest": "digest"},
                **{"status": "status", "live": ["live"]},
            },
            "archive": {
                "site_folder": "sites-data/clients/{site}",
                "version_folder": "sites-data/clients/{site}/v{version}",
                "current_link": "sites-data/clients/{site}/current",
                **{"definition": "site.json", "definition_site": "site", "definition_tenant": "tenant"},
            },
        },
        "files": [
            {
                **{"name": "documents", "table": "documents", "path": "path", "root": "sites-data"},
                **{"claims": "uploads", "tenant_folder": "uploads/{tenant}"},
            }
        ],
    }
)
SOURCE = ReadProfile("shop", Path("profile.toml"), Path(), "", PROFILE)
Tree = dict[str, bytes | str]
"""Contents of files, and targets of links, by path."""


def tree(folder: Path) -> Tree:
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()  # noqa: PTH115
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def filled(folder: Path) -> None:
    """Two versions of each site of both tenants with a link to the second, a document of each, and a picture of no row's."""
    for site in range(1, 5):
        of = folder / "clients" / str(site)
        for version in (1, 2):
            (of / f"v{version}").mkdir(parents=True)
            (of / f"v{version}" / "index.html").write_text(f"site {site} in version {version}")
        (of / "current").symlink_to("v2")
        uploads = folder / "uploads" / str(1 + site % 2)
        uploads.mkdir(parents=True, exist_ok=True)
        (uploads / f"{site}.pdf").write_text(f"document {site}")
        (uploads / "thumbnail.png").write_text(f"of tenant {1 + site % 2}")


@dataclass
class ShopWithFiles:
    """`data` is production's folder, `backup` what it was when the set was taken."""

    server: Server
    folder: Path
    port: int | None = None
    """Where production is reached, if not where its server listens."""
    archive: Path = field(init=False)
    record: DrillRecord = field(init=False)
    backup: Tree = field(init=False)

    def __post_init__(self) -> None:
        self.data.mkdir()
        filled(self.data)
        self.packed()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def journal(self) -> Path:
        """Of the last recovery."""
        return max((self.out / "recoveries").iterdir(), key=lambda path: path.stat().st_mtime_ns)

    @property
    def left_beside(self) -> list[str]:
        """Folders that a recovery made beside production's."""
        return sorted(path.name.split("_")[2] for path in self.folder.iterdir() if path.name.startswith("data__"))

    @property
    def production(self) -> Production:
        server = self.server
        host, port = (server.host, server.port) if self.port is None else ("127.0.0.1", self.port)
        settings = {"host": host, "port": str(port), "user": server.user, "password": server.password}
        return Production(settings | {"dbname": server.database("production")})

    def packed(self) -> None:
        """Takes the set of the folder as it is."""
        self.archive = self.folder / "set.sites.tar.gz"
        with tarfile.open(self.archive, "w:gz") as target:
            target.add(self.data, "sites-data")
        inventory = self.folder / "inventory"
        (inventory / "sites.sqlite").unlink(missing_ok=True)
        self.backup = tree(self.data)
        with self.server.reading("restored") as session:
            facts = take_facts(session)
        self.record = record_examples.record(
            facts=facts,
            migrated_facts=None,
            profile_name="shop",
            profile_problems=(),
            profile_path="profile.toml",
            sites=read(self.archive, inventory),
        )

    def recover(self, *, uploads: Path | None = None, source: ReadProfile = SOURCE, **wished: Any) -> int:
        """Of tenant 1, by the command's own function; with its uploads in that folder."""
        sites = self.record.sites
        assert sites is not None
        folders: dict[FolderPart, Path] = {"sites": self.data}
        if uploads is not None:
            folders["uploads"] = uploads
        at_hand = FilesAtHand(folders, {"sites": self.archive}, Path(sites.inventory))
        wish = Wish("1", undrilled=True, **wished)
        return recover(self.record, self.server, source, self.production, wish, self.out, at_hand)


def an_accident(shop: ShopWithFiles, production: psycopg.Connection[Any]) -> None:
    """Tenant 1 loses two sites with all that they had, and the document of another is overwritten; files come since."""
    for table, column in (("documents", "site"), ("deployments", "site"), ("visits", "site")):
        production.execute(f"DELETE FROM {table} WHERE {column} = 2")  # type: ignore[arg-type]
    for path in (shop.data / "clients" / "2", shop.data / "uploads" / "1" / "thumbnail.png"):
        removed(path)
    (shop.data / "uploads" / "1" / "2.pdf").unlink()
    (shop.data / "uploads" / "1" / "4.pdf").write_text("overwritten")
    (shop.data / "uploads" / "1" / "since.pdf").write_text("since")
    (shop.data / "uploads" / "2" / "since.pdf").write_text("of another")


def removed(path: Path) -> None:
    for each in sorted(path.rglob("*"), reverse=True):
        if each.is_dir() and not each.is_symlink():
            each.rmdir()
        else:
            each.unlink()
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
