"""One running Chromium for many looks at a page: of any width, light or dark, on screen or on paper, and asked in script.

Spoken to by the DevTools protocol over a pipe: no port is opened, and what is asked in script is not under the page's
own policy."""

import base64
import json
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.browser import browser_program, quiet_switches

SECONDS = 120


@dataclass
class Chromium:
    """The browser's end of the pipe; `events` are those that nobody waited for, in their order."""

    reads: int
    writes: int
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _last: int = 0
    _rest: bytes = b""

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer. Raises AssertionError with the browser's own words."""
        self._last += 1
        order: dict[str, Any] = {"id": self._last, "method": method, "params": params}
        if self.session:
            order["sessionId"] = self.session
        os.write(self.writes, json.dumps(order).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return dict(answer["result"])
            self.events.append(answer)

    def wait_for(self, method: str) -> None:
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self.reads], [], [], max(0, until - time.monotonic()))
            assert ready, f"the browser said nothing for {SECONDS} seconds"
            got = os.read(self.reads, 1 << 20)
            assert got, "the browser ended"
            self._rest += got
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@dataclass(frozen=True)
class Opened:
    """A page that is drawn."""

    chromium: Chromium

    def run(self, script: str) -> Any:
        """The value of an expression on the page; a promise is waited for."""
        answer = self.chromium.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def picture(self, *, whole: bool = False) -> bytes:
        """PNG of the first screenful, or of the whole page."""
        answer = self.chromium.ask("Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole))
        return base64.b64decode(answer["data"])

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.chromium.ask("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def paper(self) -> bytes:
        """The page printed, as PDF."""
        answer = self.chromium.ask("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        return base64.b64decode(answer["data"])

    @property
    def asked(self) -> list[str]:
        """Addresses that the page asked for, itself left out."""
        sent = [each["params"] for each in self.chromium.events if each.get("method") == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent if each.get("type") != "Document"]

    @property
    def complaints(self) -> list[str]:
        logged = [each["params"] for each in self.chromium.events if each.get("method") == "Log.entryAdded"]
        return [each["entry"]["text"] for each in logged]


@contextmanager
def running_chromium() -> Iterator[Chromium]:
    """A browser without a head, ended at the end; skips where there is none, fails on the build machine."""
    command = [browser_program(), *quiet_switches(), "--remote-debugging-pipe"]
    to_browser, from_browser = os.pipe(), os.pipe()

    def third_and_fourth() -> None:
        # The numbers that the browser reads and writes by; copied up first, since they may be taken by one another.
        read, write = os.dup(to_browser[0]), os.dup(from_browser[1])
        os.dup2(read, 3)
        os.dup2(write, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [*command, f"--user-data-dir={folder}/profile"],
            preexec_fn=third_and_fourth,
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        chromium = Chromium(from_browser[0], to_browser[1])
        try:
            target = chromium.ask("Target.createTarget", url="about:blank")["targetId"]
            chromium.session = chromium.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Log", "Runtime"):
                chromium.ask(f"{domain}.enable")
            yield chromium
        finally:
            os.close(to_browser[1])
            os.close(from_browser[0])
            process.terminate()
            process.wait(SECONDS)


def opened(
    chromium: Chromium,
    page: Path,
    anchor: str = "",
    *,
    width: int = 1280,
    height: int = 800,
    dark: bool = False,
    printed: bool = False,
) -> Opened:
    """Opens a page anew, at one of its anchors."""
    chromium.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    chromium.ask("Emulation.setEmulatedMedia", media="print" if printed else "screen", features=[scheme])
    # A link to another place of the same page loads nothing.
    for url in ("about:blank", page.resolve().as_uri() + (f"#{anchor}" if anchor else "")):
        chromium.events.clear()
        chromium.ask("Page.navigate", url=url)
        chromium.wait_for("Page.loadEventFired")
    page = Opened(chromium)
    page.run("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    return page
