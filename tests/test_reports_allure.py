"""The Allure page: built by the pinned allure, without analytics, asking nobody for anything."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reports.allure.build import HERE, AllureFailed, build
from reports.allure.offline import NotOffline, offline, remote_loads
from tests.browser import visit

ANALYTICS = """
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments);} gtag('js', 1);</script>
"""


@pytest.fixture(scope="module")
def npm() -> None:
    if shutil.which("npm") is None:
        message = "npm is not on PATH: install Node.js 20 or newer, with npm"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)


def test_analytics_are_taken_out_and_a_policy_is_put_in() -> None:
    page = offline(
        f"<html><head><title>t</title></head><body>kept{ANALYTICS}<script>let kept = 1</script></body></html>"
    )
    assert "googletagmanager" not in page
    assert "gtag" not in page
    assert page.count("kept") == 2
    assert page.startswith('<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'')


@pytest.mark.parametrize(
    "load",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//cdn.example/x.css>",
        '<img alt="a" src="http://cdn.example/x.png">',
        "<style>@import url(https://cdn.example/x.css);</style>",
        '<style>body { background: url("//cdn.example/x.png") }</style>',
        '<meta http-equiv="refresh" content="0; url=https://cdn.example/">',
    ],
)
def test_page_that_still_loads_something_is_refused(load: str) -> None:
    with pytest.raises(NotOffline, match=r"cdn\.example"):
        offline(f"<html><head></head><body>{load}</body></html>")


def test_data_addresses_and_links_to_follow_are_no_loads() -> None:
    assert (
        remote_loads('<a href="https://x.example">x</a><img src="data:image/png;base64,AA=="><svg xmlns="http://w3">')
        == []
    )


def test_run_without_results_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(AllureFailed, match="holds no Allure results"):
        build(tmp_path)


def test_lock_pins_allure_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["allure"]
    assert lock["packages"]["node_modules/allure"]["version"] == wanted
    packages = [package for name, package in lock["packages"].items() if name]
    assert all("integrity" in package and "resolved" not in package for package in packages)


@pytest.mark.usefixtures("npm")
def test_page_of_a_real_run_opens_in_a_browser_and_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_good(): pass\ndef test_bad(): assert False\n")
    results = ["--alluredir", "run/allure-results"]
    pytest_run = [sys.executable, "-m", "pytest", "-q", "-c", "/dev/null", "--rootdir", ".", *results, "test_it.py"]
    assert subprocess.run(pytest_run, cwd=tmp_path, capture_output=True).returncode == 1
    page = build(tmp_path / "run")
    assert page == tmp_path / "run" / "allure" / "index.html"
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
    seen = visit(page, width=1000, height=800)
    assert seen.console == ()
    assert seen.asked == ()
    assert seen.picture > 10_000
