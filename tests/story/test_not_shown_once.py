"""What is not shown for one reason is told in one line, however many roles or addresses it is of."""

from fixtures.profile.money import Lines
from fixtures.profile.reading import read_profile
from fixtures.profile.words import SqlFile
from fixtures.record.names import TableName
from fixtures.record.release import ReleaseRecord
from fixtures.record.visited import AskedAddress, Visited
from fixtures.story.not_shown import not_shown
from tests.support import record_examples as examples
from tests.support.catalogues import facts, table
from tests.support.drills import PROFILE

THERE = "is on the server already: left as it is there"
ENDS, NO_TENANT = "it ends the session", "it lists no row of a tenant"


def address(pattern: str, why: str = "") -> AskedAddress:
    return AskedAddress(pattern=pattern, kind="list", asked=0, shown=0, why=why)


def test_roles_and_addresses_are_told_by_the_reason() -> None:
    record = examples.record()
    assert record.restored is not None
    notes = (f"role clerks {THERE}", "the server has no collation nb", f"role drills {THERE}")
    asked = [address("a/", ENDS), address("b/", NO_TENANT), address("c/", NO_TENANT), address("d/")]
    record = record.model_copy(
        update={
            "restored": record.restored.model_copy(update={"notes": notes}),
            "visited": Visited(visitors=1, addresses=tuple(asked)),
        }
    )
    lines = list(not_shown(record, read_profile(PROFILE).profile))
    assert [line for line in lines if line.startswith("Restore: ")] == [
        "Restore: the server has no collation nb.",
        f"Restore: roles clerks, drills {THERE}.",
    ]
    assert [line for line in lines if "URLs" in line] == [
        f"2 of 4 URLs skipped: they list no row of a tenant; 1 more: {ENDS}."
    ]


def test_what_every_drill_leaves_open_is_one_line() -> None:
    profile = read_profile(PROFILE).profile
    every = (
        "In every drill: backups hold no passwords of roles, recovery times are this machine's, and files and database are "
        "not read at one instant (what was written within 60 minutes between them is listed under repairs). See "
        "docs/what-a-drill-proves.md."
    )
    lines = list(not_shown(examples.record(), profile))
    assert [line for line in lines if "passwords" in line or "instant" in line or "machine" in line] == [every]
    assert [line for line in lines if "BAK-" in line or "BIL-" in line] == [
        f"{', '.join(profile.exempt)} were not tried: [exempt] of the profile has the reasons, and so has this report."
    ]
    alone = profile.model_copy(update={"sites": None})
    assert any(
        line.startswith("Files and database are judged as one instant") for line in not_shown(examples.record(), alone)
    )


def test_a_gate_takes_no_notice_of_the_checks_time_and_says_so() -> None:
    profile = read_profile(PROFILE).profile
    in_time = profile.model_copy(update={"limits": profile.limits.model_copy(update={"checks": 30.0})})
    gate = examples.record(release=ReleaseRecord())
    (line,) = (line for line in not_shown(gate, in_time) if "[limits] checks" in line)
    assert line.startswith("That the checks end within [limits] checks: a gate tries everything on all rows")
    assert not any(
        "[limits] checks" in line for line in (*not_shown(gate, profile), *not_shown(examples.record(), in_time))
    )


def test_what_a_query_finds_is_told_as_not_compared_with_the_source() -> None:
    profile = read_profile(PROFILE).profile
    query = SqlFile(file="books/lines.sql", text="SELECT 1 AS document, 2 AS amount")
    (invoice,) = profile.invoice
    queried = invoice.model_copy(update={"lines": (Lines.model_validate({"query": query}),)})
    said = "What books/lines.sql of the profile adds up to was compared over the migrations and not with the source"
    for written, times in ((profile, 0), (profile.model_copy(update={"invoice": (queried,)}), 1)):
        assert sum(line.startswith(said) for line in not_shown(examples.record(), written)) == times


def test_foreign_tables_are_named_in_one_line() -> None:
    far = [table(f"far{number}").model_copy(update={"kind": "foreign", "rows": None}) for number in range(7)]
    record = examples.record(facts=facts(table("near"), *far))
    (line,) = (line for line in not_shown(record, read_profile(PROFILE).profile) if "foreign" in line)
    assert line.endswith(": public.far0, public.far1, public.far2, public.far3, public.far4 and 2 more.")


def test_empty_tables_that_are_not_yet_placed_are_counted_in_one_line() -> None:
    names = tuple(TableName("public", f"wishes{number}") for number in range(7))
    profile = read_profile(PROFILE).profile
    (line,) = (each for each in not_shown(examples.record(unplaced=names), profile) if "empty" in each)
    assert line.startswith(
        "Whose rows 7 empty tables will hold: wishes0, wishes1, wishes2, wishes3, wishes4 and 2 more. "
    )
    assert not [each for each in not_shown(examples.record(), profile) if "empty table" in each]
