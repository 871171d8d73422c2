"""A format of a dump and a provider of a server are told by what they can do: no code compares their names."""

import ast
import tarfile
from pathlib import Path

import pytest

from fixtures.dump.dump_kind import UNKNOWN, recognised
from fixtures.dump.formats import FORMATS, format_named
from fixtures.server.choose import PROVIDERS

ROOT = Path(__file__).resolve().parents[2]
FORMAT_NAMES = {each.name for each in FORMATS} | {each.name.upper() for each in FORMATS}
PROVIDER_NAMES = {"local", "container", "scratch"}


def compared(source: str) -> set[str]:
    """Every text that is compared with something called kind, format or provider."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(
            isinstance(each, ast.Attribute | ast.Name)
            and (each.attr if isinstance(each, ast.Attribute) else each.id) in ("kind", "format", "provider")
            for each in (node.left, *node.comparators)
        ):
            names |= {
                each.value
                for side in (node.left, *node.comparators)
                for each in ast.walk(side)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
    return names


@pytest.mark.parametrize("top", ["fixtures", "reports", "verify"])
def test_no_name_of_a_format_or_a_provider_is_compared(top: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): names
        for path in (ROOT / top).rglob("*.py")
        if (names := compared(path.read_text()) & (FORMAT_NAMES | PROVIDER_NAMES))
    }
    assert wrong == {}


def test_such_a_comparison_is_seen() -> None:
    assert compared('x = backup.kind == "plain"\ny = header.format in ("CUSTOM", "TAR")') == {"plain", "CUSTOM", "TAR"}


def test_each_format_is_found_by_its_name() -> None:
    assert [format_named(each.name) for each in FORMATS] == list(FORMATS)
    assert {"auto", "local", "container"} <= PROVIDERS.keys()


@pytest.mark.parametrize(
    "names", [("media/a.jpg",), ("media/", "media/toc.txt"), ("web1/", "web1/7/", "web1/7/a.dat.x")]
)
def test_an_archive_of_media_is_no_dump(names: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "web1-2026-11-27.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            entry = tarfile.TarInfo(name.rstrip("/"))
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(entry)
    content = recognised(path)
    assert (content.kind, content.wrapped) == (UNKNOWN, ("gzip", "tar"))
