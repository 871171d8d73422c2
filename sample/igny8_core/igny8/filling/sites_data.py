# ruff: noqa: RUF001
"""The published files: clients/<site>/v<version>/…, a `current` link beside them, and uploads/<tenant>/….

Only active sites have a folder. It holds the live version, and for every other site the one before it too.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from . import canary
from .outline import Outline, SiteOutline
from .scripts import body, title

CONTACT = "pages/contact.html"


def version_files(outline: Outline, site: SiteOutline, version: int) -> dict[str, bytes]:
    """Every file of a version by its path below the version's folder."""
    random = outline.random("files", site.id, version)
    pages = ["index.html", *site_pages(site)]
    tint = f"#{random.randrange(16**6):06x}"
    files = {
        "css/site.css": f":root {{ --tint: {tint}; }}\nheader {{ background: url(../css/mark.svg) no-repeat; }}\n",
        "css/mark.svg": f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" fill="{tint}"/>\n',
    }
    links = "".join(f'<a href="/{quote(page)}">{number}</a> ' for number, page in enumerate(pages))
    for page in pages:
        heading, text = title(site.language, random), body(site.language, random, 120)
        files[page] = (
            f'<!doctype html>\n<html lang="{site.language}"><meta charset="utf-8"><title>{heading}</title>'
            f'<link rel="stylesheet" href="{"../" * page.count("/")}css/site.css"><nav>{links}</nav>'
            f"<h1>{heading}</h1>\n<p>{text}</p></html>\n"
        )
    if CONTACT in pages:
        files[CONTACT] = f"<!doctype html><p>{canary.SENTENCE}</p>\n"
    files["data/menu.json"] = json.dumps(pages, ensure_ascii=False)
    definition = {
        "site_id": site.id,
        "tenant_id": site.tenant,
        "slug": f"site-{site.id}",
        "version": version,
        "language": site.language,
        "pages": sorted(path for path in files if path.endswith(".html")),
    }
    files["site-definition.json"] = json.dumps(definition, ensure_ascii=False, indent=1) + "\n"
    return {path: text.encode() for path, text in files.items()}


def site_pages(site: SiteOutline) -> list[str]:
    """The pages that are made of a piece of content each: the site's first pieces, in this order."""
    pages = [f"pages/page-{number}.html" for number in range(1, 3 + site.id % 3)]
    if site.id % 4 == 1:
        pages.append("pages/über uns – 概要.html")
    return [*pages, CONTACT] if site.id == 1 else pages


def content_digest(files: Mapping[str, bytes]) -> str:
    """sha256 (hex) over "<sha256 hex of file>  <path>\\n" for every regular file, sorted by the path's UTF-8 bytes.

    Paths are relative to the version's folder and '/'-separated; two spaces stand between, as sha256sum writes it.
    """
    digest = hashlib.sha256()
    for path in sorted(files, key=str.encode):
        digest.update(f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n".encode())
    return digest.hexdigest()


def upload(outline: Outline, tenant: int, image: int) -> tuple[str, bytes]:
    """Where an image lies below sites-data, and what is in it."""
    random = outline.random("upload", image)
    colour, radius = f"#{random.randrange(16**6):06x}", random.randint(1, 8)
    drawn = f'<circle cx="8" cy="8" r="{radius}" fill="{colour}"/>'
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">{drawn}</svg>\n'
    return f"uploads/{tenant}/image-{image}.svg", picture.encode()


def write_sites(outline: Outline, folder: Path) -> None:
    for site in outline.sites:
        if site.version is None:
            continue
        home = folder / "clients" / str(site.id)
        kept = [site.version - 1, site.version] if site.id % 2 and site.version > 1 else [site.version]
        for version in kept:
            for path, content in version_files(outline, site, version).items():
                _write(home / f"v{version}" / path, content)
        (home / "current").symlink_to(f"v{site.version}")


def write_uploads(outline: Outline, folder: Path) -> None:
    for tenant, image, _ in outline.images():
        path, content = upload(outline, tenant, image)
        _write(folder / path, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
