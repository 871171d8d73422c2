"""The environment of a draft goes by what the settings make of a variable; what no variable tells is said."""

from pathlib import Path

import pytest

from fixtures.commands.drafting.page import lines_of
from fixtures.commands.drafting.surroundings import application_sections

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.live")\n'
IMPORTS = "import os\nfrom pathlib import Path\n"
OWN_NAMES = """
BACKEND = os.environ["SHOP_PG"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": BACKEND,
    "PORT": int(os.environ.get("SHOP_PG_PORT", "5432")),
    "NAME": os.getenv("SHOP_DATA") or "shop",
}}
STATIC_ROOT = Path(os.environ.get("ASSETS", "/srv/assets"))
MEDIA_ROOT = os.path.join(os.environ["DATA"], "media")
SECRET_KEY = os.environ["SHOP_KEY"]
"""


def drafted(checkout: Path, **modules: str) -> str:
    """The part [application.environment], comments on one line, of a checkout with these modules of settings."""
    (checkout / "manage.py").write_text(MANAGE)
    folder = checkout / "shop" / "settings"
    folder.mkdir(parents=True)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(IMPORTS + text)
    _, environment = application_sections("shop", checkout)
    return "\n".join(lines_of(environment)).replace("\n# ", " ")


def test_a_variable_gets_what_its_setting_is_for(tmp_path: Path) -> None:
    text = drafted(tmp_path, live="from .base import *\nDEBUG = False\n", base=OWN_NAMES)
    for line in (
        'SHOP_PG = "{host}"',
        'SHOP_PG_PORT = "{port}"',
        'SHOP_DATA = "{database}"',
        'ASSETS = "{static}"',
        'SHOP_KEY = "of the drill alone"',
    ):
        assert f"\n{line}" in text
    assert "DATABASES HOST, by shop/settings/live.py." in text
    # A part of a path is no folder of a drill's: whoever gives it a value has to see it.
    assert "DATA =" not in text.replace("SHOP_DATA =", "")
    assert "shop/settings/live.py does not load without DATA: give a value" in text
    assert "is fixed" not in text


@pytest.mark.parametrize(
    "database",
    [
        'dj_database_url.config(env="SHOP_URL")',
        'env.db("SHOP_URL")',
        'dj_database_url.parse(os.environ["SHOP_URL"])',
        '{"default": env.db("SHOP_URL")}',
        '{"default": dj_database_url.parse(os.environ.get("SHOP_URL", ""))}',
    ],
)
def test_a_variable_that_holds_the_whole_address_gets_it(database: str, tmp_path: Path) -> None:
    assert '\nSHOP_URL = "{url}"' in drafted(tmp_path, live=f"DATABASES = {database}\n")


def test_an_address_under_its_usual_name_is_found(tmp_path: Path) -> None:
    assert '\nDATABASE_URL = "{url}"' in drafted(tmp_path, live='DATABASES = {"default": dj_database_url.config()}\n')


def test_what_is_fixed_is_said_with_what_becomes_of_it(tmp_path: Path) -> None:
    fixed = (
        'DATABASES = {"default": {"HOST": "db.example"}}\nHERE = Path(__file__).parent\nSTATIC_ROOT = HERE / "static"\n'
    )
    text = drafted(tmp_path, live=fixed)
    assert "STATIC_ROOT is fixed in shop/settings/live.py: a drill collects static files in a folder of its own" in text
    assert (
        "DATABASES is fixed in shop/settings/live.py: no variable leads the application to the drill's database" in text
    )


def test_a_file_of_sqlite_is_no_database_of_a_drill(tmp_path: Path) -> None:
    sqlite = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ.get("LITE")}}\n'
    either = f"if os.environ.get('SHOP_PG'):\n{_indented(OWN_NAMES)}\nelse:\n    {sqlite}"
    text = drafted(tmp_path, live=either)
    assert "LITE =" not in text
    assert '\nSHOP_PG = "{host}"' in text


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def test_settings_that_cannot_be_read_leave_the_names(tmp_path: Path) -> None:
    assert '\nDB_HOST = "{host}"' in drafted(tmp_path, live="def broken(:\n", other='HOST = os.environ["DB_HOST"]\n')
