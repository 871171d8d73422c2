"""Builds the documents as a site, in docs/site: `make docs`. A link that leads nowhere ends it with an error."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "docs" / "site"
DOCUMENTS = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "sample/README.md")
FOLDERS = ("docs", "ci")
NO_PAGES = ("*.py", "__pycache__", "mkdocs.yml", "requirements.*", "site")


def lay_out(folder: Path) -> None:
    """Copies the documents, and what they link to, as they lie in the repository."""
    for name in DOCUMENTS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(*NO_PAGES))


def build(site: Path) -> int:
    """The exit code of mkdocs: 0 where every page and link is right."""
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder) / "content")
        shutil.copy(ROOT / "docs" / "mkdocs.yml", folder)
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(site)]
        return subprocess.run(command, cwd=folder, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}).returncode


if __name__ == "__main__":
    code = build(SITE)
    if code == 0:
        print(f"The site is {SITE.relative_to(ROOT)}/index.html")
    sys.exit(code)
