"""Ends a test that hangs: it fails by its name, with the line that it waits at, and the tests after it go on.

A plugin of the suite's own tests, on top of pytest-timeout. A drill has no such limit: its controls may take hours."""

import signal
from collections.abc import Generator

import pytest
import pytest_timeout

LIMIT = 1800.0
"""Seconds that a test may take with what it sets up, and again for what it puts away: more than any program waits that a test
runs, so that this is told of first. `@pytest.mark.timeout(…)` gives a test another limit, and 0 none."""
AGAIN = 120.0
"""Seconds after which a test is ended anew, where what it does to end hangs as well."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMIT))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Begins the limit anew: where a test has failed pytest-timeout watches it no more."""
    mark = item.get_closest_marker("timeout")
    if mark is not None and (limit := mark.args[0]):
        settings = pytest_timeout.Settings(limit, "signal", False, False)
        item.config.hook.pytest_timeout_set_timer(item=item, settings=settings)


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(settings: pytest_timeout.Settings) -> Generator[None, bool, bool]:
    is_set = yield
    signal.setitimer(signal.ITIMER_REAL, settings.timeout, AGAIN)
    return is_set
