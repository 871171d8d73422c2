"""The three first screens in a real browser: which one shows, at which widths, to whom, and with how much on it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence, Excepted
from fixtures.record.fleet import DatabaseReport, FleetReport
from fixtures.record.release.plan import HistoryProblem, PlannedMigration, ReleasePlan
from fixtures.record.release.previous import Previous
from reports.fleet import write as write_fleet
from reports.story import Story
from tests.axe import HERE, axe_script, violations
from tests.reports.test_gate import STANDING
from tests.support import evidence_examples as examples
from tests.support.chromium import Chromium, opened, running_chromium
from tests.support.further import first_of
from tests.support.past_examples import with_past
from tests.support.whole_documents import page_of

SHOWN = "[...document.querySelectorAll('.screen')].filter(each => each.offsetParent).map(each => each.id).join()"
BROKEN_HEADS = """[...document.querySelectorAll("thead th")].filter(each => each.offsetParent).filter(each => {
  const range = document.createRange(); range.selectNodeContents(each);
  const lines = new Set([...range.getClientRects()].map(rect => Math.round(rect.bottom)));
  return lines.size > each.textContent.trim().split(/[\\s-]+/).length;
}).map(each => each.textContent)"""
# An id or a figure, of a headline or a message, that ends in the line after.
PARTED = """[...document.querySelectorAll(".headline, .message")].filter(each => each.offsetParent).flatMap(each => {
  const walk = document.createTreeWalker(each, NodeFilter.SHOW_TEXT), parted = [];
  while (walk.nextNode()) for (const at of walk.currentNode.data.matchAll(/\\b[A-Z]{3}-\\d\\d\\b|\\d (?:s|min|h|ms)\\b/g)) {
    const range = document.createRange(); range.setStart(walk.currentNode, at.index);
    range.setEnd(walk.currentNode, at.index + at[0].length);
    if (new Set([...range.getClientRects()].map(rect => Math.round(rect.bottom))).size > 1) parted.push(at[0]);
  }
  return parted;
})"""
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"
IN_FIRST_SCREENFUL = """[...document.querySelectorAll(%s)].filter(each => each.offsetParent)
  .every(each => each.getBoundingClientRect().top < innerHeight)"""
SCREENS = ("nightly", "release", "audit")


def long_page() -> Evidence:
    """Ten thousand checks by eleven controls, one in nine of them failed, after ninety nights."""
    return with_past(examples.large(subjects=910))


def gate_page() -> Evidence:
    """A gate whose every stage left something to tell."""
    gate = examples.gate()
    release = gate.record.release
    assert release is not None
    migration = PlannedMigration(
        app="igny8_core",
        name="0007_site_region_not_null",
        operations=("Alter field region on site",),
        sql=("ALTER TABLE …",),
        irreversible=("Run Python",),
        atomic=False,
        data=("Run Python",),
        extensions=(),
    )
    whole = release.model_copy(
        update={
            "plan": ReleasePlan(
                applied_before=31,
                migrations=(migration,),
                problems=(
                    HistoryProblem(kind="conflict", what="two leaves in igny8_core", way_out="makemigrations --merge"),
                ),
                django="5.2.8",
                python="3.11.7",
            ),
            "previous": Previous(not_given=True),
            "standing": STANDING,
        }
    )
    return with_past(gate.model_copy(update={"record": gate.record.model_copy(update={"release": whole})}))


def crowded_page() -> Evidence:
    """One control with more results than are shown together, some of them failed, and one that accepts something."""
    results = [
        examples.result("TEN-02", f"public.table_{number:03}", "failed" if number < 30 else "passed")
        for number in range(450)
    ]
    accepted = Excepted(what="unrecorded", entry="pages/*.html", count=1, at_most=9, reason="made of other pages")
    pages = examples.result("SIT-13", "pages.sql", excepted=(accepted,))
    return with_past(examples.evidence([*examples.passes()[:9], pages, *results]))


PAGES = {
    "passing": lambda: with_past(examples.verified()),
    "failing": lambda: with_past(examples.failed()),
    "stopped": lambda: with_past(examples.inconclusive()),
    "first": examples.verified,
    "crowded": crowded_page,
    "gate": gate_page,
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, evidence in (PAGES | {"long": long_page}).items():
        (folder / f"{name}.html").write_text(page_of(Story(evidence())), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in (*PAGES, "long")}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def script() -> str:
    return axe_script()


@pytest.mark.parametrize("name", first_of(sorted(PAGES, key=lambda name: name != "failing")))
def test_each_screen_shows_alone_fits_its_width_and_asks_nobody(
    name: str, pages: dict[str, Path], chromium: Chromium
) -> None:
    for anchor in ("", *SCREENS):
        for width, dark in ((1280, False), (390, True)):
            page = opened(chromium, pages[name], anchor, width=width, dark=dark)
            assert page.run(SHOWN) == (anchor or ("release" if name == "gate" else "nightly"))
            assert not page.run(OVERFLOWS), (anchor, width)
            assert page.run(BROKEN_HEADS) == [], (anchor, width)
            assert page.run(PARTED) == [], (anchor, width)
            assert (page.asked, page.complaints) == ([], [])
            assert len(page.picture()) > 10_000


def test_the_fleets_page_fits_its_width_and_breaks_no_heading(chromium: Chromium, tmp_path: Path) -> None:
    drill, why = examples.failed(), ("its newest drill is of a set in s3://backups/shop-009: it is another database's",)
    failed = {"why": (drill.headline,), "run_id": drill.run_id, "finished_at": drill.finished_at}
    databases = (
        DatabaseReport(name="shop-of-the-east", state="REFUSED", why=why),
        DatabaseReport(name="shop-of-the-west", state="FAILED", measures=drill.measures, **failed),
    )
    file = write_fleet(FleetReport(made_at=drill.finished_at, key="k", every_hours=24, databases=databases), tmp_path)
    for width, dark in ((1440, False), (390, True)):
        page = opened(chromium, file, width=width, dark=dark)
        assert not page.run(OVERFLOWS), width
        assert page.run(BROKEN_HEADS) == [], width
        assert (page.asked, page.complaints) == ([], [])


def test_a_link_into_a_screen_opens_that_screen_and_the_links_switch(
    pages: dict[str, Path], chromium: Chromium
) -> None:
    page = opened(chromium, pages["failing"])
    for link, screen in (
        ("release", "release"),
        ("finding-TEN-02", "audit"),
        ("audit", "audit"),
        ("nightly", "nightly"),
    ):
        page.run(f"[...document.querySelectorAll('a[href=\"#{link}\"]')].find(each => each.offsetParent).click()")
        assert page.run(SHOWN) == screen
    folded = opened(chromium, pages["failing"], "TEN-02")
    assert folded.run("document.querySelector('#TEN-02 td').checkVisibility({contentVisibilityAuto: true})"), "unfolded"
    assert opened(chromium, pages["failing"], "nowhere").run(SHOWN) == "nightly"


ANSWERS = {
    "nightly": (
        "FAILED",
        "ended well",
        "15 new",
        "not VERIFIED, after 5 VERIFIED drills",
        "-m pytest verify",
    ),
    "release": (
        "NO-GO",
        "15 of 49 checks found a fault",
        "1 h 15 min",
        "3 migrations applied",
        "Waivers running out",
        "10 Nov",
    ),
    "audit": ("FAILED", "How to check it", "Unsigned", "make verify-report", "only a key"),
}


@pytest.mark.parametrize("screen", SCREENS)
def test_the_first_screenful_answers_its_readers_question(
    screen: str, pages: dict[str, Path], chromium: Chromium
) -> None:
    page = opened(chromium, pages["failing"], screen, width=1280, height=800)
    read = """(() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); let told = '';
      while (walk.nextNode()) { const node = walk.currentNode, range = document.createRange(); range.selectNode(node);
        const box = range.getBoundingClientRect();
        if (box.height && box.bottom <= innerHeight && node.parentElement.offsetParent) told += node.data; }
      return told.replace(/\\s+/g, ' '); })()"""
    words = page.run(read)
    assert [each for each in ANSWERS[screen] if each not in words] == []


@pytest.mark.parametrize("name", first_of(sorted(PAGES, key=lambda name: name != "failing")))
def test_axe_finds_nothing_on_any_screen(name: str, pages: dict[str, Path], chromium: Chromium, script: str) -> None:
    for screen in SCREENS:
        page = opened(chromium, pages[name], screen, dark=screen == "release")
        page.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert violations(page, script) == [], screen


def test_axe_would_have_found_something(tmp_path: Path, chromium: Chromium, script: str) -> None:
    path = tmp_path / "poor.html"
    path.write_text(
        '<!DOCTYPE html><title>t</title><p style="color:#ccc">faint</p><table><td><img src="data:,"></table>'
    )
    broken = {each[0] for each in violations(opened(chromium, path), script)}
    assert {"color-contrast", "html-has-lang", "image-alt"} <= broken


def test_the_lock_pins_axe_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["axe-core"]
    assert lock["packages"]["node_modules/axe-core"]["version"] == wanted
    assert all("integrity" in each and "resolved" not in each for name, each in lock["packages"].items() if name)


def test_every_plot_has_a_table_with_its_figures(pages: dict[str, Path], chromium: Chromium) -> None:
    page = opened(chromium, pages["passing"], "trend")
    assert page.run("document.querySelectorAll('#trend figure svg[role=img][aria-label]').length") == 4
    rows = page.run("document.querySelectorAll('#trend details table')[0].tBodies[0].rows.length")
    assert rows == 90
    drawn = page.run(
        "[...document.querySelectorAll('#trend figure svg')].map(each => each.querySelectorAll('.dot').length)"
    )
    missed = page.run("document.querySelectorAll('#trend figure svg')[0].querySelectorAll('rect.missed').length")
    assert (drawn[0], missed) == (90 - 3 - 1, 3), "neither missed nights nor the altered report have a value"
    assert page.run("document.querySelector('#trend .pace').tBodies[0].rows.length") == 8


@pytest.mark.further
def test_ten_thousand_checks_are_all_there_and_open_folded(pages: dict[str, Path], chromium: Chromium) -> None:
    page = opened(chromium, pages["long"], "audit")
    assert page.run("document.querySelectorAll('#results tbody tr').length") > 10_000
    assert page.run("document.querySelectorAll('#results details[open]').length") == 0
    assert page.run("document.documentElement.scrollHeight") < 32_000, "folded, it is a page that one can walk through"


@pytest.mark.further
def test_the_browsers_search_unfolds_what_it_finds(pages: dict[str, Path], chromium: Chromium) -> None:
    """Shown by the search for a text that is named in the address: it looks at what is shown when the page opens."""
    searched = pages["long"].with_name("searched.html")
    text = pages["long"].read_text(encoding="utf-8")
    searched.write_text(
        text.replace('class="screen" id="audit"', 'class="screen opening" id="audit"'), encoding="utf-8"
    )
    page = opened(chromium, searched, ":~:text=public.table_0907")
    wanted = """[...document.querySelectorAll('details[open] details[open] code')].some(
      each => each.checkVisibility() && each.textContent.startsWith('public.table_0907'))"""
    until = time.monotonic() + 30
    while not page.run(wanted) and time.monotonic() < until:
        time.sleep(0.2)
    assert page.run(wanted)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.further
def test_on_paper_a_screen_is_printed_alone_and_in_dark_ink(
    screen: str, pages: dict[str, Path], chromium: Chromium
) -> None:
    page = opened(chromium, pages["failing"], screen, dark=True, printed=True, width=800)
    assert page.run(SHOWN) == screen
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.run("[...document.querySelectorAll('nav')].every(each => !each.offsetParent)")
    assert page.paper().startswith(b"%PDF")


CHOSEN = """[...document.querySelectorAll('.findings > .finding')].filter(each => each.offsetParent)
  .map(each => each.className.split(' ')[1] + ' ' + (each.dataset.area || '')).join()"""


def test_findings_are_chosen_by_outcome_impact_and_area_without_a_script(
    pages: dict[str, Path], chromium: Chromium
) -> None:
    page = opened(chromium, pages["failing"], "exceptions")
    everything = page.run(CHOSEN).split(",")
    assert {each.split()[0] for each in everything} == {"failed", "blocked"}
    page.run("document.getElementById('by-area-BIL').click()")
    assert page.run(CHOSEN) == "failed BIL"
    page.run("document.getElementById('by-outcome-blocked').click()")
    assert page.run(CHOSEN) == ""
    page.run("document.querySelector('[name=by-area]').click()")
    assert page.run(CHOSEN).split(",") == [each for each in everything if each.startswith("blocked")]
