"""Makes a release of the commit that is checked out, in dist/: wheel, sdist, SBOM and SHA256SUMS, the same bytes each time.

`python .ci/release/make_release.py`, by an interpreter that has what `.ci/release/requirements.lock` lists."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUMS = "SHA256SUMS"
MOST_NAMES = 3


def version_of(root: Path) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"])


def refusals(root: Path) -> Iterator[str]:
    """Why no release can be made of the checkout, each with what to do. Raises SystemExit where git does not answer."""
    version = version_of(root)
    changed = [line[3:] for line in git(root, "status", "--porcelain").splitlines()]
    if changed:
        more = f" and {len(changed) - MOST_NAMES} more" if len(changed) > MOST_NAMES else ""
        yield (
            f"The checkout differs from its commit: {', '.join(changed[:MOST_NAMES])}{more}. "
            "Commit that or remove it: a release is what one commit holds."
        )
    headings = re.findall(r"^## (.*)$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    if not any(re.fullmatch(rf"{re.escape(version)}, \d{{4}}-\d\d-\d\d", heading) for heading in headings):
        newest = f"its newest is `## {headings[0]}`" if headings else "it has none"
        yield (
            f"CHANGELOG.md has no heading `## {version}, YYYY-MM-DD`; {newest}. Say there what version {version} of "
            "pyproject.toml changes, and the day of its release."
        )
    for tag in git(root, "tag", "--list", f"v{version}", version).split():
        yield f"Version {version} is tagged already, as {tag}. Give the next release another version in pyproject.toml."


def make_release(root: Path, into: Path) -> tuple[Path, ...]:
    """Writes the release of the checkout's commit into a folder that is made anew. Raises SystemExit with what the program
    printed that failed."""
    epoch = git(root, "log", "-1", "--format=%ct").strip()
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "source"), Path(folder, "dist")
        _check_out(root, source)
        call(source, epoch, "hatchling", "build", "--directory", str(made))
        bill = made / f"restore_drill-{version_of(root)}.cdx.json"
        options = (
            "--pyproject",
            "pyproject.toml",
            "--short-PURLs",
            "--output-reproducible",
            "--output-file",
            str(bill),
        )
        call(source, epoch, "cyclonedx_py", "requirements", "requirements.lock", *options)
        files = sorted(path.name for path in made.iterdir())
        sums = (f"{hashlib.sha256((made / name).read_bytes()).hexdigest()}  {name}\n" for name in files)
        (made / SUMS).write_text("".join(sums))
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(made, into)
    return tuple(into / name for name in (*files, SUMS))


def _check_out(root: Path, into: Path) -> None:
    """What the commit holds and nothing else: ignored files of the checkout are no part of a release."""
    packed = into.with_suffix(".tar")
    git(root, "archive", "--format=tar", f"--output={packed}", "HEAD")
    with tarfile.open(packed) as archive:
        archive.extractall(into, filter="data")


def git(root: Path, *words: str) -> str:
    return _said(["git", "-C", str(root), *words], root, dict(os.environ))


def call(source: Path, epoch: str, module: str, *words: str) -> None:
    _said([sys.executable, "-m", module, *words], source, {**os.environ, "SOURCE_DATE_EPOCH": epoch})


def _said(words: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words[:4])} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    if refused := tuple(refusals(ROOT)):
        raise SystemExit("No release was made.\n" + "\n".join(refused))
    for path in make_release(ROOT, ROOT / "dist"):
        print(path.relative_to(ROOT))
    print(
        f"To check them: (cd dist && sha256sum --check {SUMS}). To publish: git tag v{version_of(ROOT)}, and push the tag."
    )
