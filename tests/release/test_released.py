"""What a release does is a finding until the profile declares it, and what is declared in vain is one too."""

import pytest

from fixtures.checks.blocked import Blocked, Exempt
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


def release(**declared: object) -> Release:
    return Release.model_validate(declared)


def test_drift_is_told_until_it_is_declared_and_then_it_must_be_there() -> None:
    assert undeclared_drift(COMPARISON, release()) == {
        "index public.tags.by_day": "index public.tags.by_day: the code makes none, here USING btree (day)",
        "column public.tags.name: default": "column public.tags.name: default: the code makes 'a'::text, here none",
    }
    assert undeclared_drift(COMPARISON, release(drift={"index public.*": WHY, "column public.tags.name": WHY})) == {}
    assert undeclared_drift(COMPARISON, release(drift={"*": WHY, "column public.tags.name: type": WHY})) == {
        "column public.tags.name: "
        "type": "[release.drift] column public.tags.name: type is declared, and there is no such difference: remove the entry"
    }


def test_a_dropped_column_is_told_until_it_is_declared_and_an_empty_one_never_is() -> None:
    assert undeclared_drops(COMPARISON, release()) == ["public.tags.legacy (2 of 3 rows)"]
    for name in ("tags.legacy", "public.tags.legacy"):
        assert undeclared_drops(COMPARISON, release(dropped={name: WHY})) == []
    assert undeclared_drops(COMPARISON, release(dropped={"tags.legacy": WHY, "tags.name": WHY})) == [
        "[release.dropped] tags.name is declared, and loses no value: remove the entry"
    ]


def test_rows_that_do_not_come_back_are_told_until_they_are_declared() -> None:
    assert not_coming_back(REVERSAL, release(unrepeatable={"notes": WHY})) == [
        "public.tags: its rows are not what they were the first time"
    ]
    columns = {TAGS: ("name", "slug")}
    named = REVERSAL.model_copy(update={"forth_columns": columns})
    assert not_coming_back(named, release(unrepeatable={"notes": WHY})) == [
        "public.tags: its rows are not what they were the first time (in name, slug)"
    ]
    assert not_coming_back(REVERSAL, release(unrepeatable={"notes": WHY, "tags": WHY, "gone": WHY})) == [
        "[release.unrepeatable] public.gone is declared, and is the same: remove the entry"
    ]
    ended = Reversal(irreversible={}, taken_back=(), kept=("a.1",), back_problem="a.1: DataError")
    assert not_coming_back(ended, release(unrepeatable={"notes": WHY})) == [
        "reversing the release ended at a.1: DataError"
    ]


def test_an_address_that_is_tried_is_told_until_it_is_declared_and_then_it_must_be_tried() -> None:
    tried = ("lookup a.example:443 (package b)", "connect 192.0.2.7:443 (c.py:3)")
    standing = STANDING.model_copy(update={"reached": tried})
    assert undeclared_reaches(standing, release()) == list(tried)
    assert undeclared_reaches(standing, release(reaches={"lookup a.example:443": WHY})) == [tried[1]]
    assert undeclared_reaches(standing, release(reaches={"* 192.0.2.*": WHY, "lookup *": WHY})) == []
    assert undeclared_reaches(STANDING, release(reaches={"lookup *": WHY})) == [
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
