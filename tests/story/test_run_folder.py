"""`current` names the run that is under way, and a run that ended early says that it proves nothing."""

from pathlib import Path

import pytest
from _pytest.config import get_config

from fixtures.plugin import hooks
from fixtures.plugin.run_folder import open_run_folder, publish
from fixtures.record.evidence import EXIT_CODES
from reports.render import render
from tests.support.evidence_examples import failed


@pytest.fixture
def a_config() -> pytest.Config:
    """That of a session which renders nothing: this one's own would print the drill's summary at its end."""
    config = get_config()
    config.pluginmanager.add_hookspecs(hooks)
    return config


def test_current_names_the_run_that_is_under_way_until_it_is_published(tmp_path: Path, a_config: pytest.Config) -> None:
    evidence = failed()
    directory = open_run_folder(tmp_path, evidence.run_id)
    assert (tmp_path / "current").readlink() == Path(evidence.run_id)
    assert not (tmp_path / "latest").is_symlink()
    assert publish(a_config, evidence, b"", directory) == EXIT_CODES["FAILED"]
    assert not (tmp_path / "current").is_symlink()
    assert (tmp_path / "latest").readlink() == Path(evidence.run_id)


def test_a_run_that_ends_leaves_current_to_the_one_that_began_later(tmp_path: Path, a_config: pytest.Config) -> None:
    evidence = failed()
    directory = open_run_folder(tmp_path, evidence.run_id)
    open_run_folder(tmp_path, "later")
    publish(a_config, evidence, b"", directory)
    assert (tmp_path / "current").readlink() == Path("later")


def test_a_run_without_an_answer_stays_current(
    tmp_path: Path, a_config: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = failed()
    directory = open_run_folder(tmp_path, evidence.run_id)
    (directory / "evidence.json").mkdir()
    publish(a_config, evidence, b"", directory)
    assert "this drill has no answer" in capsys.readouterr().err
    assert (tmp_path / "current").readlink() == Path(evidence.run_id)
    assert not (tmp_path / "latest").is_symlink()


def test_a_summary_says_that_the_run_did_not_end_until_the_reports_own_is_there(tmp_path: Path) -> None:
    evidence = failed()
    directory = open_run_folder(tmp_path, evidence.run_id)
    assert "It proves nothing" in (directory / "summary.md").read_text()
    render(evidence, directory, with_pdf=False)
    assert "It proves nothing" not in (directory / "summary.md").read_text()


@pytest.mark.parametrize("name", ["latest", "current"])
def test_a_folder_in_a_links_place_is_refused_before_there_is_a_run(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(pytest.UsageError, match=f"{name} is not a link"):
        open_run_folder(tmp_path, "run")
    assert [path.name for path in tmp_path.iterdir()] == [name]
