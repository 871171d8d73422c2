"""A gate's documents say GO or NO-GO, and how the release stands up; those of a cached start tell no recovery's time."""

from datetime import UTC, datetime

import pytest

from fixtures.profile.backups import Targets
from fixtures.record.evidence import Evidence
from fixtures.record.release import ReleaseRecord
from fixtures.record.release.standing import AskedPage, LoadedModel, Standing
from fixtures.record.restored import FromCache
from fixtures.story.measures import measures
from reports import metrics, runbook, summary
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of

STANDING = Standing(
    deploy_exit=0,
    deploy_problems=("security.W004",),
    url_patterns=412,
    url_error="",
    models=(
        LoadedModel(model="shop.Invoice", row=True, decoded=("lines", "iban"), broken="", error=""),
        LoadedModel(model="shop.Secret", row=True, decoded=(), broken="value", error="InvalidToken"),
        LoadedModel(model="shop.Empty", row=False, decoded=(), broken="", error=""),
    ),
    admin_sites=1,
    admin_user=True,
    pages=(
        AskedPage(address="admin: index", status=200, error=""),
        AskedPage(address="admin: shop.Invoice, <a row>", status=None, error="TemplateDoesNotExist"),
    ),
    mails=0,
    mail_backend="django.core.mail.backends.filebased.EmailBackend",
    reached=("connect 192.0.2.7:443 (shop/hooks.py:31)",),
    isolation="unshare --net: tried at the start of the drill",
    redis="redis-server 7.0.15, an empty one for each command at 127.0.0.1:6379 of its own network",
)


def gate(evidence: Evidence) -> Evidence:
    release = ReleaseRecord(standing=STANDING)
    return evidence.model_copy(
        update={"kind": "gate", "record": evidence.record.model_copy(update={"release": release})}
    )


def cached(evidence: Evidence) -> Evidence:
    restored = evidence.record.restored
    assert restored is not None
    taken = FromCache(kept_at=datetime(2026, 11, 22, 1, 5, tzinfo=UTC), run_id="20261122-010400-aaaa")
    record = evidence.record.model_copy(update={"restored": restored.model_copy(update={"from_cache": taken})})
    measured = measures(record, Targets(rpo_hours=24, rto_minutes=60))
    return evidence.model_copy(update={"record": record, "measures": measured})


@pytest.mark.parametrize(
    ("evidence", "answer"),
    [(examples.verified, "GO"), (examples.failed, "NO-GO"), (examples.inconclusive, "NO-GO, could not tell")],
)
def test_a_gate_answers_whether_to_go(evidence: object, answer: str) -> None:
    story = Story(gate(evidence()))  # type: ignore[operator]
    assert summary.write_up(story).startswith(f"## Release gate: {answer}\n")
    assert f"<title>{answer}: release gate " in page_of(story)


def test_the_page_tells_how_the_release_stands_up() -> None:
    written = page_of(Story(gate(examples.failed())))
    for words in (
        "exit code 0; security.W004",
        "412 addresses",
        "2 models of 3 have a row",
        "InvalidToken",
        "admin: shop.Invoice, &lt;a row&gt;",
        "TemplateDoesNotExist",
        "connect 192.0.2.7:443 (shop/hooks.py:31)",
        "an empty one for each command",
    ):
        assert words in written


def test_a_drills_page_says_nothing_of_a_release() -> None:
    assert 'id="standing"' not in page_of(Story(examples.verified()))


def test_a_cached_start_tells_no_recoverys_time() -> None:
    story = Story(cached(examples.verified()))
    assert story.clear
    words = "restored from the cache of 2026-11-22 01:05 UTC"
    assert f"| RTO | not measured: {words}, target 1 h: not known |" in summary.write_up(story)
    assert words in page_of(story)
    figures = metrics.write_up(story)
    assert "restore_drill_rto_seconds" not in figures
    assert 'stage="migrate"' in figures
    assert 'stage="restore"' not in figures
    written = runbook.write_up(story)
    assert "by drill 20261122-010400-aaaa: this one took the restore from the cache" in written


def test_migrations_that_were_kept_tell_no_times_either() -> None:
    evidence = cached(examples.verified())
    migrated, restored = evidence.record.migrated, evidence.record.restored
    assert migrated is not None
    assert restored is not None
    kept = migrated.model_copy(update={"from_cache": restored.from_cache})
    record = evidence.record.model_copy(update={"migrated": kept})
    story = Story(evidence.model_copy(update={"record": record}))
    words = "migrated by drill 20261122-010400-aaaa, kept at 2026-11-22 01:05 UTC"
    assert f"Not in this drill: {words}" in page_of(story)
    figures = metrics.write_up(story)
    assert 'stage="migrate"' not in figures
    assert 'stage="application"' in figures
    assert f"Not measured: the database was {words}" in runbook.write_up(story)
