"""A stage beside the others is told like any other, and never keeps a drill that has ended."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import pytest

from fixtures.archives.reading import Watch
from fixtures.archives.tar_stream import Archive
from fixtures.record import stages
from fixtures.record.record import StageOutcome
from fixtures.record.stage import StageBlocked, StageFailed, outcome_of
from fixtures.record.stages import Stage
from fixtures.story.background_stage import BackgroundStage
from tests.support.small_archives import tar


def taking(step: Callable[[], None]) -> Callable[[Stage], StageOutcome]:
    return lambda stage: outcome_of(stage, step)


def outcome_beside(step: Callable[[], None]) -> StageOutcome:
    with ExitStack() as stack:
        background = BackgroundStage(stages.SITES, taking(step), lambda: None, stack)
        background.start()
        return background.outcome()


def _failed() -> None:
    raise StageFailed("the archive is another", "Take the right one.")


def _blocked() -> None:
    raise StageBlocked("there is no archive")


def _crashed() -> None:
    raise ZeroDivisionError("a row's own words")


@pytest.mark.parametrize(
    ("step", "state", "cause"),
    [
        (lambda: None, "ok", ""),
        (_failed, "failed", "the archive is another"),
        (_blocked, "blocked", "there is no archive"),
        (_crashed, "blocked", "internal error: ZeroDivisionError at test_beside.py"),
    ],
)
def test_what_comes_of_it_is_told_like_any_stage(step: Callable[[], None], state: str, cause: str) -> None:
    outcome = outcome_beside(step)
    assert (outcome.name, outcome.state) == ("sites", state)
    assert outcome.cause.startswith(cause)
    assert "own words" not in outcome.cause


def test_it_gives_up_when_the_drill_ends_before_it() -> None:
    given_up, begun = threading.Event(), threading.Event()

    def step() -> None:
        begun.set()
        given_up.wait(60)

    with ExitStack() as stack:
        background = BackgroundStage(stages.SITES, taking(step), given_up.set, stack)
        background.start()
        assert begun.wait(10)
        assert not given_up.is_set()
    assert given_up.is_set()
    assert background.outcome().state == "ok"


def test_an_archive_that_nobody_waits_for_is_read_no_further(tmp_path: Path) -> None:
    packed = tmp_path / "sites.tar"
    packed.write_bytes(tar([(f"page-{number}", b"x" * 100_000) for number in range(40)]))
    watch = Watch(time.monotonic() + 60)
    with Archive(packed, watch) as archive:
        entries = archive.entries()
        assert next(entries).name
        watch.given_up.set()
        with pytest.raises(StageBlocked, match="given up: the drill has ended"):
            list(chain.from_iterable(map(archive.content, entries)))
