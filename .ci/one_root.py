"""Lays a checkout out below one import root, for the wheel: `fixtures` becomes `restore_drill.fixtures`, in the code too.

Other packages have top-level names like ours (PyPI has a `fixtures`); what is installed must shadow none of them."""

import ast
import re
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "restore_drill"
TREES = ("fixtures", "reports", "sample", "verify")
FILES = ("LICENSE", "conftest.py", "pyproject.toml", "requirements.lock")
LEFT_OUT = ("__pycache__", "node_modules", "out", "backups", "data", "*.pyc")
NAME = re.compile(rf"(?:{'|'.join(TREES)})(?:\.\w+)+")


class OneRoot(BuildHookInterface):  # type: ignore[type-arg]
    """Hatchling's hook: makes the tree, and puts it into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        laid_out = Path(self.directory) / "one-root"
        shutil.rmtree(laid_out, ignore_errors=True)
        lay_out(Path(self.root), laid_out)
        build_data["force_include"][str(laid_out)] = PACKAGE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(Path(self.directory) / "one-root")


def lay_out(root: Path, into: Path) -> None:
    """Copies the trees and files of a checkout into a folder, each import and each name of a module below PACKAGE."""
    for tree in TREES:
        shutil.copytree(root / tree, into / tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for file in FILES:
        shutil.copy(root / file, into / file)
    (into / "__init__.py").write_text(
        '"""Restores the latest backup of a Django application and proves that it is right."""\n'
    )
    for path in into.rglob("*.py"):
        path.write_text(below_package(path.read_text(), root))
    configuration = into / "pyproject.toml"
    # Nothing of ours is found by its short name there.
    text = configuration.read_text().replace('pythonpath = ["."]\n', "")
    configuration.write_text(
        NAME.sub(lambda name: f"{PACKAGE}.{name[0]}" if is_module(root, name[0]) else name[0], text)
    )


def below_package(source: str, root: Path) -> str:
    """The source with every import of ours, and every string that is a module's name, below PACKAGE."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module and node.module.split(".")[0] in TREES:
            _replace(lines, node.lineno, node.col_offset, f"from {node.module}", f"from {PACKAGE}.{node.module}")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] in TREES:
                    raise ValueError(f"line {node.lineno}: write `from … import`, not `import {alias.name}`")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and is_module(root, node.value):
            _replace(lines, node.lineno, node.col_offset, node.value, f"{PACKAGE}.{node.value}")
    return "".join(lines)


def is_module(root: Path, name: str) -> bool:
    """Whether a text is the dotted name of a module of the checkout."""
    if not NAME.fullmatch(name):
        return False
    place = root.joinpath(*name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _replace(lines: list[str], number: int, column: int, old: str, new: str) -> None:
    """In a line of the source, from a column of its UTF-8 on."""
    line = lines[number - 1].encode()
    before, after = line[:column].decode(), line[column:].decode()
    if old not in after:
        raise ValueError(f"line {number}: {old} does not stand there on one line")
    lines[number - 1] = before + after.replace(old, new, 1)
