"""What the last drill found is let go of before documents are made: of many failed checks it is as much as they are."""

from pathlib import Path

from tests.support import earlier_drills_held
from tests.support.drills import drill


def test_no_earlier_drill_is_held_while_documents_are_made(tmp_path: Path) -> None:
    backups, held = tmp_path / "backups", tmp_path / "held"
    backups.mkdir()
    plugin = ("-p", earlier_drills_held.__name__)
    for _ in range(2):
        seen = drill(backups, tmp_path / "out", arguments=plugin, environment={earlier_drills_held.NAMED_BY: str(held)})
        assert "no backup found" in seen.output
    assert held.read_text().split() == ["0", "0", "1", "0"]
