"""A plugin for a drill that is watched: writes down what its roles log in with, so that a test can look for it everywhere."""

import json
import os
from pathlib import Path

import pytest

INTO = "LOGINS_TOLD"


@pytest.hookimpl
def pytest_drill_checks_begin(config: pytest.Config) -> None:
    # It is a plugin before those of the suite are, and a plugin is not imported by others first.
    from fixtures.plugin.opening import SESSION

    run = config.stash[SESSION].run
    server = run.server if run is not None else None
    if server is not None:
        passwords = [server.logins.of(server, purpose).password for purpose in server.logins.made]
        Path(os.environ[INTO]).write_text(json.dumps(passwords))
