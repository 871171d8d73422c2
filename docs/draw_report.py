"""Draws docs/report.png, the picture of a report in the README, from a drill's own page: `python -m docs.draw_report RUN`."""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT = 1280, 860


def draw(page: Path, picture: Path) -> None:
    """The page's first screen, of 1,280 by 860 pixels. Raises SystemExit where no Chromium is installed."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise SystemExit("Chromium is not installed here (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}")
        size = f"--window-size={WIDTH},{HEIGHT}"
        address = page.resolve().as_uri()
        subprocess.run([browser, *options, size, f"--screenshot={picture}", address], check=True, capture_output=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a drill's report: reports/out/RUN-ID")
    draw(parser.parse_args().run / "index.html", PICTURE)
    print(f"wrote {PICTURE.relative_to(ROOT)}")
