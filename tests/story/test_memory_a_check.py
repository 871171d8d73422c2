"""What one check more holds until the drill ends, and while its documents are made, stays within some kilobytes."""

import gc
import io
import tracemalloc
from collections.abc import Callable, Generator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.checks.examination import Examination
from fixtures.plugin.gathering import Gatherer, Planned
from fixtures.plugin.outcomes import EXAMINATION, QUERIES, RESULT
from fixtures.plugin.shedding import Shedding
from fixtures.record.evidence import Evidence, Outcome
from fixtures.record.facts import Facts
from reports.render import DOCUMENTS
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.catalogues import facts, table
from tests.support.controls_in_process import WITHOUT

FEW, MANY = 40, 160
QUERY = "SELECT count(*) FROM igny8_content WHERE {} " + "AND tenant_id IS NOT NULL " * 20


def a_check(measured: Callable[[int], int], few: int = FEW, many: int = MANY) -> float:
    """Bytes that a check more takes."""
    measured(1)
    return (measured(many) - measured(few)) / (many - few)


@dataclass(eq=False)
class Checks:
    """Gives every test of an inner pytest what a control leaves: an examination with a query, a result, its queries."""

    checks: int
    held: int = 0

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        metafunc.parametrize("table", [f"table_{number}" for number in range(self.checks)])

    @pytest.hookimpl
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        item.stash[EXAMINATION] = Examination()
        item.stash[EXAMINATION].queries.add(QUERY.format(item.name))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        together = item.stash[EXAMINATION].queries.together()
        if report.when == "call" and together is not None:
            result = examples.result("TEN-02", item.name, query_sha256=together.sha256)
            report.user_properties.append((RESULT, result.model_dump(mode="json", exclude_defaults=True)))
            report.user_properties.append((QUERIES, together.model_dump(mode="json")))
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        # A drill that ran in this process before may have put off looking for garbage, and none is held.
        gc.collect()
        self.held = tracemalloc.get_traced_memory()[0]


def test_what_a_check_holds_until_the_drill_ends(tmp_path: Path) -> None:
    (tmp_path / "test_tables.py").write_text("def test_one(table): pass\n")
    # The reporter of the terminal is what keeps every report.
    without = [word for name in WITHOUT if name != "terminal" for word in ("-p", f"no:{name}")]
    arguments = [
        "-q",
        "-s",
        "--rootdir",
        str(tmp_path),
        "-c",
        "/dev/null",
        "--assert=plain",
        "--import-mode=importlib",
        # It reads every report once more, and the drill's caller may have asked for it.
        "--durations=1",
        "--durations-min=0",
        *without,
        str(tmp_path),
    ]

    def held(checks: int) -> int:
        names = [f"test_one[table_{number}]" for number in range(checks)]
        gatherer = Gatherer([Planned(f"test_tables.py::{name}", "TEN-02", name) for name in names])
        left_by = Checks(checks)
        tracemalloc.start()
        try:
            with redirect_stdout(io.StringIO()) as said:
                assert pytest.main(arguments, plugins=[left_by, gatherer, Shedding()]) == pytest.ExitCode.OK
        finally:
            tracemalloc.stop()
        assert "slowest 1 durations" in said.getvalue()
        assert gatherer.completeness().whole
        assert len(gatherer.queries) == checks
        return left_by.held

    assert a_check(held) < 7 * 1024


@pytest.mark.parametrize("outcome", ["passed", "failed"])
@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != "audit.pdf"])
def test_what_a_check_takes_while_its_documents_are_made(document: str, outcome: Outcome) -> None:
    def peak(checks: int) -> int:
        story = Story(evidence_of(checks, outcome))
        _ = story.chapters
        tracemalloc.start()
        try:
            assert sum(map(len, DOCUMENTS[document](story))) > 0
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # Up to 200 results of one control are one piece of the page.
    assert a_check(peak, 400, 1_600) < 700


def test_a_table_that_migrations_left_alone_is_held_once() -> None:
    before = facts(table("plans", "id"), table("sites", "id", "name"))
    after = Facts.model_validate(facts(table("plans", "id"), table("sites", "id", "title")).model_dump())
    held = after.beside(before)
    assert held == after
    assert [mine is theirs for mine, theirs in zip(held.tables, before.tables, strict=True)] == [True, False]


def evidence_of(checks: int, outcome: Outcome) -> Evidence:
    return examples.evidence([examples.result("TEN-02", f"public.table_{number}", outcome) for number in range(checks)])
