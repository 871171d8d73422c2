"""The sample as it runs in production: its own database and folder of sites, gunicorn, a Celery worker and beat with Redis,
and a renderer of sites; started, stopped and looked at by the commands of its profile."""

import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures.sandbox.footprint import footprint, written
from fixtures.sandbox.redis import Redis
from sample.build import OWNER
from tests.support.drills import PROFILE, ROOT, SAMPLE, Healthy

DATABASE = "shop"
PASSWORD = "sample-password"


@dataclass(frozen=True)
class Shop:
    """What runs, and the profile that says how. `environment` is that of whoever administers it."""

    healthy: Healthy
    folder: Path
    profile: Path
    environment: dict[str, str]
    web: int
    renderer: int

    @property
    def sites(self) -> Path:
        return self.folder / "sites-data"

    def run(self, part: str) -> None:
        """The commands of one key of [recovery]."""
        from fixtures.profile.reading import read_profile

        recovery = read_profile(self.profile).profile.recovery
        assert recovery is not None
        for words in getattr(recovery, part):
            subprocess.run(words, check=True, env=self.environment, stdout=subprocess.DEVNULL, timeout=600)

    def recover(self, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        """`restore-drill recover`, with what a person types."""
        return subprocess.run(
            [sys.executable, "-m", "fixtures.commands", "recover", *words],
            cwd=ROOT,
            env=self.environment,
            input=said,
            capture_output=True,
            text=True,
            timeout=1500,
        )

    def page(self, email: str, path: str) -> tuple[int, str]:
        """What a person sees there after logging in."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        at = f"http://127.0.0.1:{self.web}"
        form = browser.open(f"{at}/login/", timeout=30).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        assert token is not None
        data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], "username": email, "password": PASSWORD})
        try:
            browser.open(f"{at}/login/", data.encode(), timeout=30).read()
            with browser.open(f"{at}{path}", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""

    def served(self, path: str) -> int:
        """The renderer's status for a file of the sites."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.renderer}/{path}", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@contextmanager
def production_like(healthy: Healthy, redis: Redis, folder: Path) -> Iterator[Shop]:
    """Runs it on a database of its own, migrated to the code; ends every part afterwards."""
    web, renderer, broker = _free_ports(3)
    shutil.copytree(healthy.built.sites_data, folder / "sites-data", symlinks=True)
    # A profile is known by its folder's name.
    profile = folder / "profiles" / "igny8"
    shutil.copytree(PROFILE, profile)
    with (profile / "profile.toml").open("a") as file:
        file.write(_recovery(folder, web, renderer, broker))
    (profile / "unsent.sql").write_text("SELECT id FROM igny8_invoices WHERE status = 'open'\n")
    healthy.server.create_database(DATABASE, template=healthy.built.database, owner=OWNER)
    environment = environment_of(healthy, DATABASE, folder, broker)
    before = footprint(SAMPLE)
    shop = Shop(healthy, folder, profile, environment, web, renderer)
    server = subprocess.Popen(
        [str(redis.program), "--port", str(broker), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    try:
        subprocess.run(
            [sys.executable, str(SAMPLE / "manage.py"), "migrate", "--noinput"],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        shop.run("start")
        try:
            yield shop
        finally:
            shop.run("stop")
        assert not written(before, footprint(SAMPLE)), "drills that run beside this would be told of it by APP-06"
    finally:
        server.terminate()
        server.wait(20)
        with healthy.server.connect("postgres") as connection:
            names = [
                name for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'shop%'")
            ]
        for name in names:
            healthy.server.drop_database(name)


def environment_of(healthy: Healthy, database: str, folder: Path, broker: int) -> dict[str, str]:
    """That of whoever administers the sample as it runs on this database, and on the sites in this folder."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        **healthy.server.environment(database),
        "PYTHONPATH": f"{SAMPLE}",
        # The checkout is the suite's own, and drills that run meanwhile see what is written into it.
        "PYTHONDONTWRITEBYTECODE": "1",
        "DB_HOST": healthy.server.host,
        "DB_PORT": str(healthy.server.port),
        "DB_NAME": database,
        "DB_USER": OWNER,
        "DB_PASSWORD": healthy.built.owner_password,
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{broker}/0",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        "SITES_DATA": str(folder / "sites-data"),
        # Cookies are for TLS alone otherwise.
        "DEBUG": "1",
    }


def _recovery(folder: Path, web: int, renderer: int, broker: int) -> str:
    """[recovery], as somebody would write it for these parts."""
    python, celery = sys.executable, [sys.executable, "-m", "celery", "-A", "igny8_core.celery"]
    at = "--bind", f"127.0.0.1:{web}"
    serve = f"'{python}' -m http.server --bind 127.0.0.1 --directory '{folder}/sites-data' {renderer}"
    start = [
        [*celery, "worker", "--detach", "-P", "solo", *_files(folder, "worker")],
        [*celery, "beat", "--detach", f"--schedule={folder}/beat.db", *_files(folder, "beat")],
        [python, "-m", "gunicorn", "--daemon", *at, "--pid", f"{folder}/web.pid", "igny8_core.wsgi"],
        ["sh", "-c", f"{serve} >/dev/null 2>&1 & echo $! >'{folder}/renderer.pid'"],
    ]
    ping = [*celery, "inspect", "ping", "--timeout", "5"]
    asked = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=10)"
    lines = {
        "stop": [_ending(folder / f"{part}.pid") for part in ("web", "renderer", "worker", "beat")],
        "still_running": [ping],
        "migrate": [["env", "DB_NAME={database}", python, str(SAMPLE / "manage.py"), "migrate", "--noinput"]],
        "empty_queues": [[*celery, "purge", "-f"]],
        "start": start,
        "answers": [
            [python, "-c", asked, f"http://127.0.0.1:{web}/healthz"],
            [python, "-c", asked, f"http://127.0.0.1:{renderer}/"],
            ping,
        ],
    }
    written = "command_seconds = 300\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
    return f'\n[recovery]\n{written}\n\n[recovery.twice]\n"reminders of open invoices" = "unsent.sql"\n'


def _files(folder: Path, part: str) -> tuple[str, str]:
    return f"--pidfile={folder}/{part}.pid", f"--logfile={folder}/{part}.log"


def _ending(file: Path) -> list[str]:
    """Ends a part that runs, and is content where none does."""
    return ["sh", "-c", f"test ! -e '{file}' || pkill --pidfile '{file}'; rm -f '{file}'"]


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
