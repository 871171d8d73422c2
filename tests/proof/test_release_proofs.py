"""Each control of a gate finds what is planted in a copy of what the gate found of a sound release."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fixtures.checks.access import Access
from fixtures.checks.drilled import Drilled
from fixtures.plan.cards import read_controls
from fixtures.record.release import ReleaseRecord
from fixtures.record.release.comparison import Comparison, SchemaDifference
from fixtures.record.release.plan import PlannedMigration, ReleasePlan
from fixtures.record.release.previous import ModelTried, Previous
from fixtures.record.release.rehearsal import MigrationCost, Rehearsal, Stall, UnderLoad
from fixtures.record.release.reversal import Reversal
from fixtures.record.release.standing import AskedPage, LoadedModel, Standing
from tests.proof.test_proof import proven_of, says_of
from tests.support import short_drills
from tests.support.controls_in_process import VERIFY
from tests.support.short_drills import Standing as StandingDrill
from tests.support.spoiled_sets import profile_with

MIGRATION = "igny8.0010_next"
SOUND = ReleaseRecord(
    plan=ReleasePlan(
        applied_before=5,
        migrations=(
            PlannedMigration(
                app="igny8",
                name="0010_next",
                operations=(),
                sql=(),
                irreversible=(),
                atomic=True,
                data=(),
                extensions=("citext",),
            ),
        ),
        problems=(),
        django="5",
        python="3",
    ),
    rehearsal=Rehearsal(
        server="local",
        settings={},
        sampled_every=0.02,
        migrations=(
            MigrationCost(
                app="igny8",
                name="0010_next",
                seconds=1,
                wal_bytes=1,
                temp_files=0,
                temp_bytes=0,
                disk_growth=0,
                rewritten=(),
                locks=(),
            ),
        ),
        isolation="none needed",
        under_load=UnderLoad(
            tables=("public.igny8_tags",),
            requests=9,
            stalls=(
                Stall(
                    migration=MIGRATION, relation="public.igny8_tags", act="read", requests=9, longest=0.1, refused=()
                ),
            ),
        ),
    ),
    comparison=Comparison(
        objects=9,
        columns=9,
        changes=(),
        dropped=(),
        from_zero_seconds=1,
        drift=(SchemaDifference(thing="index public.igny8_tags.by_hand", before=None, after="USING btree (name)"),),
    ),
    reversal=Reversal(irreversible={}, taken_back=(MIGRATION,), kept=(), things=9, tables=2),
    previous=Previous(source="x", interpreter="y", models=(ModelTried(model="igny8.Tag", table="igny8_tags"),)),
    standing=Standing(
        deploy_exit=0,
        deploy_problems=("security.W004", "security.W008"),
        url_patterns=3,
        url_error="",
        models=(LoadedModel(model="igny8.Tag", row=True, decoded=(), broken="", error=""),),
        admin_sites=1,
        admin_user=True,
        pages=(AskedPage(address="/admin/", status=200, error=""),),
        mails=0,
        mail_backend="",
        reached=("lookup a.example:443 (b)", "lookup c.example:443 (b)"),
        isolation="bubblewrap",
    ),
)
ACCEPTS = """[release.drift]
"*" = { at_most = 3, reason = "Indexes are made by hand." }

[release.reaches]
"lookup *" = { at_most = 4, reason = "The release asks for its flags." }

[release.deploy_checks]
"""
PROFILE = {"[release]\n": "[release]\nlock_wait_seconds = 5\n", "[release.deploy_checks]\n": ACCEPTS}


@pytest.mark.further
def test_every_control_of_a_gate_is_proven_and_what_a_pattern_accepts_is_gone_beyond(
    standing: StandingDrill, whole_set: Path, tmp_path: Path
) -> None:
    """Patterns of the profile accept some of what the release does; the fault is planted beyond what they accept."""
    try_controls = short_drills.try_controls

    def of_a_gate(drilled: Drilled, access: Access | None, not_shown: tuple[str, ...], **how: Any) -> Any:
        record = drilled.record.model_copy(update={"release": SOUND})
        found = Drilled(record, drilled.source, drilled.owners)
        return try_controls(found, access, not_shown, of_release=True, **how)

    with patch.object(short_drills, "try_controls", of_a_gate):
        profile = profile_with(tmp_path, PROFILE)
        drill = standing.drill(whole_set.parent, tmp_path / "out", profile=profile, proving=True)
    proving = proven_of(drill)
    released = {each.card.id for each in read_controls(VERIFY, gate=True)} - {
        each.card.id for each in read_controls(VERIFY)
    }
    assert {each.control for each in proving.proofs} == released
    assert {each.control for each in proving.proofs if each.outcome == "proven"} == released
    unproven = [each for each in proving.proofs if each.outcome != "proven"]
    assert {each.control for each in unproven} <= {"REL-12"}
    assert all("nothing was planted" in each.says for each in unproven), unproven
    assert "internal error" not in str(unproven)
    assert drill.red == {}
    assert says_of(proving, "REL-12", "public.igny8_payments").outcome == "proven"
    assert (
        says_of(proving, "REL-06").says
        == "in a copy of the record a migration closed a large table for a second too long"
    )
