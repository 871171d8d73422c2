"""What a release does is a finding until the profile declares it, and what is declared in vain is one too."""

import pytest

from fixtures.checks.blocked import Blocked, Exempt
from fixtures.checks.examination import Examination
from fixtures.checks.release.released import (
    not_coming_back,
    previous_tried,
    undeclared_drift,
    undeclared_drops,
    undeclared_reaches,
)
from fixtures.profile.release import Release
from fixtures.record.names import TableName
from fixtures.record.release import ReleaseRecord
from fixtures.record.release.comparison import Comparison, DroppedColumn, SchemaDifference
from fixtures.record.release.previous import Previous
from fixtures.record.release.reversal import Reversal
from fixtures.record.release.standing import Standing
from fixtures.story.release_not_shown import not_shown_of_release

TAGS, NOTES = TableName("public", "tags"), TableName("public", "notes")
COMPARISON = Comparison(
    objects=9,
    columns=9,
    changes=(),
    dropped=(
        DroppedColumn(table=TAGS, column="legacy", values=2, rows=3),
        DroppedColumn(table=TAGS, column="empty", values=0, rows=3),
    ),
    from_zero_seconds=1,
    drift=(
        SchemaDifference(thing="index public.tags.by_day", before=None, after="USING btree (day)"),
        SchemaDifference(thing="column public.tags.name", facet="default", before="'a'::text", after=None),
    ),
)
REVERSAL = Reversal(
    irreversible={}, taken_back=("a.1",), kept=(), back_rows=(NOTES,), forth_rows=(NOTES, TAGS), things=9, tables=2
)
STANDING = Standing(
    deploy_exit=0,
    deploy_problems=(),
    url_patterns=1,
    url_error="",
    models=(),
    admin_sites=0,
    admin_user=False,
    pages=(),
    mails=0,
    mail_backend="",
    reached=(),
    isolation="",
    redis="",
)
WHY = "because it is meant to be so"
ONE, TWO = {"at_most": 1, "reason": WHY}, {"at_most": 2, "reason": WHY}


def release(**declared: object) -> Release:
    return Release.model_validate(declared)


def test_drift_is_told_until_it_is_declared_and_then_it_must_be_there() -> None:
    assert undeclared_drift(COMPARISON, release(), Examination()) == {
        "index public.tags.by_day": "index public.tags.by_day: the code makes none, here USING btree (day)",
        "column public.tags.name: default": "column public.tags.name: default: the code makes 'a'::text, here none",
    }
    both = release(drift={"index public.*": ONE, "column public.tags.name": ONE})
    assert undeclared_drift(COMPARISON, both, Examination()) == {}
    assert undeclared_drift(
        COMPARISON, release(drift={"*": TWO, "column public.tags.name: type": ONE}), Examination()
    ) == {
        "column public.tags.name: "
        "type": "[release.drift] column public.tags.name: type is declared, and there is no such difference: remove the entry"
    }


def test_a_dropped_column_is_told_until_it_is_declared_and_an_empty_one_never_is() -> None:
    assert undeclared_drops(COMPARISON, release(), Examination()) == ["public.tags.legacy (2 of 3 rows)"]
    for name in ("tags.legacy", "public.tags.legacy"):
        assert undeclared_drops(COMPARISON, release(dropped={name: TWO}), Examination()) == []
    assert undeclared_drops(COMPARISON, release(dropped={"tags.legacy": TWO, "tags.name": ONE}), Examination()) == [
        "[release.dropped] tags.name is declared, and loses no value: remove the entry"
    ]


def test_rows_that_do_not_come_back_are_told_until_their_columns_are_declared() -> None:
    differing = REVERSAL.model_copy(
        update={"back_columns": {NOTES: ("at",)}, "forth_columns": {NOTES: ("at",), TAGS: ("name", "slug")}}
    )
    at = {"columns": ["at"], "reason": WHY}
    tags = "public.tags: its rows are not what they were the first time"
    assert not_coming_back(differing, release(unrepeatable={"notes": at})) == [f"{tags} (in name, slug)"]
    for columns, told in ((["name", "slug"], []), (["name"], [f"{tags} (in name, slug)"])):
        declared = release(unrepeatable={"notes": at, "tags": {"columns": columns, "reason": WHY}})
        assert not_coming_back(differing, declared) == told
    fewer = differing.model_copy(update={"forth_columns": {NOTES: ("at",), TAGS: ()}})
    assert not_coming_back(fewer, declared)[0].startswith(f"{tags} (there are more or fewer of them")
    gone = {"notes": at, "tags": {"columns": ["name", "slug"], "reason": WHY}, "gone": at}
    assert not_coming_back(differing, release(unrepeatable=gone)) == [
        "[release.unrepeatable] public.gone is declared, and is the same: remove the entry"
    ]
    ended = Reversal(irreversible={}, taken_back=(), kept=("a.1",), back_problem="a.1: DataError")
    assert not_coming_back(ended, release(unrepeatable={"notes": at})) == [
        "reversing the release ended at a.1: DataError"
    ]


def test_what_is_declared_is_counted_and_more_than_it_accepts_is_told() -> None:
    seen = Examination()
    tried = ("lookup a.example:443 (package b)", "lookup b.example:443 (package b)")
    standing = STANDING.model_copy(update={"reached": tried})
    accepts = "and its entry accepts at most 1"
    assert undeclared_drift(COMPARISON, release(drift={"*": ONE}), seen) == {"*": f"*: 2 differences, {accepts}"}
    assert undeclared_drops(COMPARISON, release(dropped={"tags.legacy": ONE}), seen) == [
        f"tags.legacy: 2 values, {accepts}"
    ]
    assert undeclared_reaches(standing, release(reaches={"lookup *": ONE}), seen) == [
        f"lookup *: 2 attempts, {accepts}"
    ]
    assert [(each.what, each.entry, each.count, each.at_most) for each in seen.excepted] == [
        ("drift", "*", 2, 1),
        ("dropped", "tags.legacy", 2, 1),
        ("reaches", "lookup *", 2, 1),
    ]


def test_an_address_that_is_tried_is_told_until_it_is_declared_and_then_it_must_be_tried() -> None:
    tried = ("lookup a.example:443 (package b)", "connect 192.0.2.7:443 (c.py:3)")
    standing = STANDING.model_copy(update={"reached": tried})
    assert undeclared_reaches(standing, release(), Examination()) == list(tried)
    assert undeclared_reaches(standing, release(reaches={"lookup a.example:443": ONE}), Examination()) == [tried[1]]
    assert undeclared_reaches(standing, release(reaches={"* 192.0.2.*": ONE, "lookup *": ONE}), Examination()) == []
    assert undeclared_reaches(STANDING, release(reaches={"lookup *": ONE}), Examination()) == [
        "[release.reaches] lookup * is declared, and nothing tried it: remove the entry"
    ]


def test_a_release_before_that_nobody_named_is_no_pass() -> None:
    nobody = Previous(not_given=True)
    with pytest.raises(Blocked, match="the release before this one was not given"):
        previous_tried(nobody, release())
    with pytest.raises(Exempt, match=WHY):
        previous_tried(nobody, release(not_rolling=WHY))
    with pytest.raises(Blocked, match="does not start on the migrated schema: ImportError"):
        previous_tried(Previous(source="x", interpreter="y", problem="ImportError"), release())
    assert list(not_shown_of_release(ReleaseRecord(previous=nobody), release())) == [
        "Whether the release before this one works on the migrated schema was not tried: nobody named it"
    ]
