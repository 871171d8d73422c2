"""Night after night: two good drills and then a bad one make a trend, a new finding and a broken row."""

import shutil

import pytest

from fixtures.record.queries import FILE as QUERIES
from tests.support.drills import Drill, Healthy, Signed, drill

BALANCE_OFF = "UPDATE igny8_tenants SET credits_balance = credits_balance + 1 WHERE id = 2"


@pytest.fixture(scope="module")
def nights(
    healthy_drill: Drill, second_drill: Signed, healthy: Healthy, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Drill, Drill, Drill]:
    """Three drills into one folder of reports, the first two of which other tests share."""
    work, second = tmp_path_factory.mktemp("nights"), second_drill.drill
    healthy.backup(work / "backups", BALANCE_OFF, name="third")
    out = work / "out"
    shutil.copytree(second.directory.parent, out, symlinks=True)
    return healthy_drill, second, drill(work / "backups", out)


@pytest.mark.whole
def test_a_bad_night_after_two_good_ones_is_told_with_its_trend(nights: tuple[Drill, Drill, Drill]) -> None:
    first, second, third = nights
    assert [each.evidence.verdict for each in nights] == ["VERIFIED", "VERIFIED", "FAILED"], third.output
    # The same questions, whether workers asked them or not.
    assert (first.directory / QUERIES).read_bytes() == (second.directory / QUERIES).read_bytes()
    past = third.evidence.past
    assert past is not None
    assert [(each.run_id, each.verdict, each.report) for each in past.drills] == [
        (each.evidence.run_id, "VERIFIED", "as entered") for each in (first, second)
    ]
    for each, earlier in zip(past.drills, (first, second), strict=True):
        assert each.figures is not None
        assert [stage.seconds for stage in each.figures.stages] == [
            stage.seconds for stage in earlier.evidence.record.stages
        ]
        assert each.figures.rows == sum(table.rows for table in earlier.evidence.record.facts.row_tables)
    page = " ".join((third.directory / "index.html").read_text().split())
    for sentence in (
        "not VERIFIED, after 2 VERIFIED drills",
        "1 new, 0 known",
        '<p class="headline">1 of ',
        "The figures of 3 nights",
    ):
        assert sentence in page
    assert '<span class="tag new">1 new</span>' in page
    assert "2nd VERIFIED in a row" in (second.directory / "index.html").read_text()
