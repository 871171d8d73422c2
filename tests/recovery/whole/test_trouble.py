"""Whatever goes wrong in a whole recovery is told, and the application stays, or becomes again, wholly the old one."""

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.recovery.journal import Journal, read_journal
from fixtures.recovery.refused import RecoveryRefused
from fixtures.recovery.whole.plan import RECOVERY
from fixtures.recovery.whole.production import Production
from tests.support.cut_at_commit import cut_at_commit
from tests.support.small_disk import small_disk
from tests.support.small_recovery import NAME, Made, Tiny

NEW, OLD = ("recovered", "recovered"), ("old", "old")


def steps(tiny: Tiny) -> list[str]:
    return [f"{line['step']} {line['state']}" for line in read_journal(tiny.journal)]


def beside(tiny: Tiny) -> list[str]:
    with tiny.production.administer() as session:
        rows = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tiny\\_\\_%'").fetchall()
    return [*(str(name) for (name,) in rows), *(path.name for path in tiny.folder.iterdir() if "__" in path.name)]


def test_who_is_still_on_the_database_is_named_and_nothing_is_touched(tiny: Tiny) -> None:
    tiny.patience = 1
    with tiny.production.connect() as somebody:
        somebody.execute("SET application_name = 'a forgotten report'")
        with pytest.raises(RecoveryRefused, match=r"on the database: a forgotten report \(pid \d+\) as "):
            tiny.recover()
        assert beside(tiny) == []
    assert (tiny.mark, tiny.starts) == (OLD, [])
    assert any("RESUME=" in line for line in tiny.said)


def test_a_part_that_still_runs_or_writes_is_named(tiny: Tiny) -> None:
    tiny.patience = 1
    recovery = tiny.profile.recovery
    assert recovery is not None
    writes = ("sh", "-c", f"for n in $(seq 50); do date +%N >>'{tiny.sites}/log'; sleep 0.1; done & echo begun")
    running = (*recovery.still_running, ("echo", "two workers"))
    deaf = recovery.model_copy(update={"stop": (writes,), "still_running": running})
    plan = tiny.plan()
    with Journal(tiny.folder, "journal") as journal:
        journal.write(RECOVERY, "begun", **plan.written())
        whole = tiny.recovery(journal, plan)
        whole.profile = whole.profile.model_copy(update={"recovery": deaf})
        with pytest.raises(RecoveryRefused) as refused:
            whole.recover(tiny.backup)
    assert "echo ended with 0 and said: two workers" in refused.value.cause
    assert f"written in {tiny.sites}: 1 files or folders, the first is log" in refused.value.cause


@pytest.mark.parametrize(("verdict", "yes", "said"), [("FAILED", True, "is FAILED"), ("VERIFIED", False, "")])
def test_a_set_that_is_not_verified_and_an_answer_that_is_no_leave_the_old_one_running(
    tiny: Tiny, verdict: str, yes: bool, said: str
) -> None:
    tiny.verdict, tiny.yes = verdict, yes
    if said:
        with pytest.raises(RecoveryRefused, match=said):
            tiny.recover()
    else:
        assert not tiny.recover()
        assert "confirm no" in steps(tiny)
    assert (tiny.mark, tiny.starts, beside(tiny)) == (OLD, ["old old"], [])
    assert tiny.running.exists()
    assert read_journal(tiny.journal)[-1]["application"] == "old"


def test_what_is_lost_is_told_in_rows(tiny: Tiny) -> None:
    tiny.yes = False
    assert not tiny.recover()
    told = [line.split() for line in tiny.said]
    assert ["public.notes", "1", "6", "0"] in told
    assert ["public.tenants", "0", "0", "3"] in told


@pytest.mark.parametrize("delivered", [False, True], ids=["before", "after"])
def test_a_connection_that_is_lost_while_the_swap_is_committed_leaves_it_whole(tiny: Tiny, delivered: bool) -> None:
    with cut_at_commit(tiny.server, delivered=delivered) as port:
        plan = tiny.plan()
        with Journal(tiny.folder, "journal") as journal:
            journal.write(RECOVERY, "begun", **plan.written())
            whole = tiny.recovery(journal, plan)
            settings = {**tiny.production.settings, "host": "127.0.0.1", "port": str(port)}
            whole.production = replace(tiny.production, settings=settings)
            if delivered:
                assert whole.recover(tiny.backup)
            else:
                with pytest.raises(RecoveryRefused, match="the connection was lost while the databases were renamed"):
                    whole.recover(tiny.backup)
    assert tiny.mark == (NEW if delivered else OLD)
    assert tiny.running.exists()
    assert set(tiny.starts) == {" ".join(tiny.mark)}


def test_a_disk_that_is_full_leaves_the_old_one_running(ready: Made, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", kilobytes=200) as disk, ready.tiny(disk) as tiny:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            tiny.recover()
        assert (tiny.mark, tiny.running.exists()) == (OLD, True)


def test_a_database_and_a_folder_that_are_gone_come_back(tiny: Tiny) -> None:
    tiny.server.drop_database(NAME)
    shutil.rmtree(tiny.sites)
    assert tiny.recover()
    assert tiny.mark == NEW
    assert "There is no database tiny: what is lost cannot be told." in tiny.said
    assert beside(tiny) == []


def test_what_stands_set_on_the_database_is_taken_over(tiny: Tiny) -> None:
    with tiny.production.administer() as session:
        session.execute("ALTER DATABASE tiny SET search_path TO public, pg_catalog")
        session.execute("ALTER DATABASE tiny CONNECTION LIMIT 40")
        session.execute("COMMENT ON DATABASE tiny IS 'where customers are'")
        session.execute("REVOKE ALL ON DATABASE tiny FROM PUBLIC")
        session.execute("GRANT CONNECT ON DATABASE tiny TO pg_monitor")
        before = stands(session)
    assert tiny.recover()
    with tiny.production.administer() as session:
        assert stands(session) == before


def stands(session: object) -> object:
    return session.execute(  # type: ignore[attr-defined]
        "SELECT datconnlimit, shobj_description(d.oid, 'pg_database'), datacl::text, pg_get_userbyid(datdba), "
        "(SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = 'tiny'"
    ).fetchone()


def test_a_rehearsal_swaps_stand_ins_and_leaves_nothing(tiny: Tiny) -> None:
    assert tiny.recover(rehearse=True)
    assert (tiny.mark, tiny.starts, beside(tiny)) == (OLD, [], [])
    assert tiny.running.exists()
    assert "swap done" in steps(tiny)
    assert read_journal(tiny.journal)[-1]["application"] == "rehearsed"


def test_a_recovery_that_is_under_way_is_not_gone_on_with(tiny: Tiny) -> None:
    with Journal(tiny.folder, "journal") as journal:
        journal.write(RECOVERY, "begun", **tiny.plan().written())
        with pytest.raises(RecoveryRefused, match="is still under way"):
            Journal.going_on(journal.path)


def test_a_line_that_was_cut_short_is_not_read(tiny: Tiny) -> None:
    with Journal(tiny.folder, "journal") as journal:
        journal.write(RECOVERY, "begun", **tiny.plan().written())
    with journal.path.open("a") as file:
        file.write('{"step": "stop", "sta')
    with Journal.going_on(journal.path) as again:
        again.write("stop", "begun")
    assert steps(tiny) == ["recovery begun", "stop begun"]


def test_no_database_of_the_servers_is_reached_without_it(tmp_path: Path) -> None:
    nowhere = Production({"host": str(tmp_path)}, {}, "shop")
    with pytest.raises(RecoveryRefused, match="cannot be reached by its databases postgres and template1"):
        nowhere.administer()
