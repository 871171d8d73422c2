"""One lost table or schema is told once, with every place of the profile and every control that rests on it."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from fixtures.record.evidence import Evidence
from reports import summary, terminal
from reports.story import Story
from tests.support import evidence_examples as examples

PATH = "/profiles/shop/profile.toml"
NOT_FIT = "the profile does not fit the database: "
PLACES = ("payment 'payments'.table", "domain.table", "follows 'refunds after their payment'.of")


def lost(*tables: str) -> Evidence:
    """A drill whose profile names these tables in three places each, by which three controls are blocked."""
    problems = [
        f"{PATH}: {place}: no table {table} in the restored database; did you mean public.igny8_sites?"
        for table in tables
        for place in PLACES
    ]
    blocked = [
        examples.result(f"BIL-{number:02}", "not-enumerated", "blocked", message=f"{NOT_FIT}{problem}")
        for number, problem in enumerate(problems, 1)
    ]
    other = examples.result("TEN-16", "visits", "blocked", message="the application did not start")
    found = examples.evidence([*blocked, other])
    record = found.record.model_copy(update={"profile_problems": tuple(problems), "profile_path": PATH})
    return found.model_copy(update={"record": record})


@pytest.mark.parametrize(
    ("tables", "thing"),
    [
        (("public.payments",), "no table public.payments in the restored database; did you mean public.igny8_sites?"),
        (("billing.payments", "billing.refunds"), "no table of the schema billing in the restored database"),
    ],
)
def test_one_lost_thing_is_one_paragraph(tables: tuple[str, ...], thing: str, tmp_path: Path) -> None:
    evidence = lost(*tables)
    story = Story(evidence)
    assert story.profile_problems == (f"{thing} (named by {', '.join(PLACES)})",)
    first, second = story.causes
    assert first.message == f"{NOT_FIT}{thing}"
    assert [chapter.id for chapter in first.chapters] == [f"BIL-{n:02}" for n in range(1, 3 * len(tables) + 1)]
    assert second.message == "the application did not start"
    text = io.StringIO()
    terminal.show(evidence, tmp_path, Console(file=text, width=300))
    for document in (text.getvalue(), summary.write_up(story)):
        assert document.count(thing.partition(";")[0]) == 2
        assert all(chapter.id in document for chapter in first.chapters)


def test_two_lost_tables_of_a_schema_that_is_there_are_two_causes() -> None:
    story = Story(lost("public.payments", "public.refunds"))
    assert len(story.profile_problems) == 2
    assert [cause.checks for cause in story.causes] == [3, 3, 1]


def test_what_is_no_lost_thing_is_told_as_it_stands() -> None:
    evidence = lost("public.payments")
    record = evidence.record.model_copy(update={"profile_problems": (f"{PATH}: tenancy.root: name what it became",)})
    assert Story(evidence.model_copy(update={"record": record})).profile_problems == record.profile_problems
