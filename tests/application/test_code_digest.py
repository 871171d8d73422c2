"""A migrated database is kept for the very code that migrated it: whatever differs of it makes another digest."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fixtures.application.checkout import Checkout, find_checkout
from fixtures.application.code_digest import digest_of_code
from fixtures.profile import Application
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian


@dataclass(frozen=True)
class Code:
    """A checkout in a repository, with a virtual environment and an editable installation, and what it is told by."""

    folder: Path
    checkout: Checkout
    application: Application
    guardian: Guardian
    role: str = "shop"

    @property
    def packages(self) -> Path:
        return self.folder / "repository" / "backend" / ".venv" / "lib" / "python3.11" / "site-packages"

    @property
    def digest(self) -> str:
        written = self.folder / "repository" / "reports"
        return digest_of_code(self.checkout, self.application, self.role, self.guardian, [written])


@pytest.fixture
def code(tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> Code:
    monkeypatch.setenv("SHOP_LICENCE", "A")
    repository = tmp_path / "repository"
    files = {
        "repository/.git/HEAD": "ref: refs/heads/main",
        "repository/shared/prices.py": "RATE = 1",
        "repository/reports/latest": "1",
        "repository/backend/manage.py": "",
        "repository/backend/shop/migrations/0001_initial.py": "operations = []",
        "repository/backend/shop/large.json": "0" * (1 << 21),
        "repository/backend/.venv/pyvenv.cfg": "include-system-site-packages = false\n",
        "repository/backend/.venv/lib/python3.11/site-packages/django/__init__.py": "VERSION = (5, 2)",
        "repository/backend/.venv/lib/python3.11/site-packages/django-5.2.dist-info/METADATA": "Version: 5.2",
        "repository/backend/.venv/lib/python3.11/site-packages/tax.pth": f"{tmp_path}/edited",
        "edited/tax.py": "TAX = 19",
        "etc/shop.toml": "plans = 3",
        "srv/media/logo.png": "logo",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    python = repository / "backend" / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to(Path(sys.executable).resolve())
    environment = {"DATABASE_URL": "{url}", "CONFIG": f"{tmp_path}/etc/shop.toml", "MEDIA": f"{tmp_path}/srv/media"}
    application = Application(name="shop", environment=environment, inherit=("SHOP_LICENCE",))
    return Code(tmp_path, find_checkout(repository / "backend", application), application, guardian)


def written(name: str) -> Callable[[Code], Code]:
    def write(code: Code) -> Code:
        file = code.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(file.read_text() + "#" if file.exists() else "new")
        return code

    return write


def said(**otherwise: object) -> Callable[[Code], Code]:
    return lambda code: replace(code, application=code.application.model_copy(update=otherwise))


def upgraded(code: Code) -> Code:
    (code.packages / "django-5.2.dist-info").rename(code.packages / "django-5.2.1.dist-info")
    return code


def inherits(code: Code) -> Code:
    os.environ["SHOP_LICENCE"] = "B"
    return code


def touched(code: Code) -> Code:
    """As large as it was, and of another content."""
    file = code.folder / "repository" / "backend" / "shop" / "large.json"
    file.write_text("1" + file.read_text()[1:])
    os.utime(file, ns=(1, 1))
    return code


def linked(code: Code) -> Code:
    (code.folder / "repository" / "backend" / "media").symlink_to(code.folder / "srv")
    return code


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(written("repository/backend/shop/migrations/0001_initial.py"), id="a migration"),
        pytest.param(written("repository/backend/shop/migrations/0002_more.py"), id="a new migration"),
        pytest.param(written("repository/shared/prices.py"), id="what lies beside it in its repository"),
        pytest.param(written("edited/tax.py"), id="what is installed to be edited"),
        pytest.param(written("etc/shop.toml"), id="a file that its settings name"),
        pytest.param(written("srv/media/logo-2.png"), id="a file in a folder that they name"),
        pytest.param(touched, id="a large file"),
        pytest.param(linked, id="a link"),
        pytest.param(upgraded, id="a version of a package"),
        pytest.param(
            written("repository/backend/.venv/lib/python3.11/site-packages/django/__init__.py"),
            id="a package mended by hand",
        ),
        pytest.param(said(environment={"DATABASE_URL": "{url}", "PLANS": "3"}), id="its environment"),
        pytest.param(said(removed_apps={"till": "taken out"}), id="the profile"),
        pytest.param(inherits, id="a variable that it inherits"),
        pytest.param(lambda code: replace(code, role="shop_app"), id="its role"),
    ],
)
def test_whatever_differs_of_the_code_is_another_digest(code: Code, change: Callable[[Code], Code]) -> None:
    before = code.digest
    assert code.digest == before
    assert change(code).digest != before


@pytest.mark.parametrize(
    "name",
    [
        "repository/.git/HEAD",
        "repository/reports/latest",
        "repository/backend/shop/__pycache__/models.cpython-311.pyc",
        "repository/backend/node_modules/react/index.js",
    ],
)
def test_what_no_migration_runs_makes_no_difference(code: Code, name: str) -> None:
    before = code.digest
    assert written(name)(code).digest == before


def test_a_variable_that_is_not_there_is_told(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_LICENCE")
    with pytest.raises(StageBlocked, match="SHOP_LICENCE, which is not set"):
        _ = code.digest
