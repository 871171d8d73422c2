"""Renders a fleet's report: one page that asks nobody for anything, and its JSON."""

from pathlib import Path

from fixtures.record.fleet import FILE, FleetReport
from reports import words
from reports.templating import html_templates

COMMON_SHOWN = 50
NAMES_SHOWN = 12


def write(report: FleetReport, folder: Path) -> Path:
    """Writes `fleet.json` and `fleet.html` into a folder that exists; returns the page."""
    words.write(folder / FILE, report.model_dump_json(indent=1) + "\n")
    return words.write(folder / "fleet.html", page(report))


def page(report: FleetReport) -> str:
    templates = html_templates(COMMON_SHOWN=COMMON_SHOWN, NAMES_SHOWN=NAMES_SHOWN)
    return templates.get_template("fleet.html.j2").render(report=report)
