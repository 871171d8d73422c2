"""Every key of a profile that accepts what a control would name has a bound, and a new one without is seen here."""

from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from fixtures.plugin.building_evidence import build_evidence
from fixtures.plugin.gathering import Gatherer, Planned
from fixtures.profile import Application, Profile
from fixtures.profile.backups import Targets
from fixtures.profile.exceptions import Counted, InColumns, Outlives, Ownerless, Waiver
from fixtures.profile.files import FileColumn
from fixtures.profile.money import MoneyChanged
from fixtures.profile.owners import Schemas
from fixtures.profile.references import SoftReference
from fixtures.profile.release import Release
from fixtures.profile.sites import Pages
from fixtures.profile.words import SqlFile
from fixtures.record.evidence import Excepted, ExceptionKind, Result
from tests.support import evidence_examples as examples

COUNTED = "up to so many, counted beside the last drill's number"
NAMED = "the one thing that its name tells; the entry fails once that is not there, or another control tries it"
TOLD = "a comparison that is never made: there is nothing to count, and every document says so"
FIGURE = "by the figure that it is"

EXCEPTIONS = {
    "Application.unmade_migrations": COUNTED,
    "Application.removed_apps": NAMED,
    "Backup.no_manifest": TOLD,
    "Backup.remote_protection": TOLD,
    "Backup.superuser_load": TOLD,
    "Backup.shrink_percent": FIGURE,
    "Schedule.grace_hours": FIGURE,
    "Release.irreversible": NAMED,
    "Release.extensions": NAMED,
    "Release.deploy_checks": COUNTED,
    "Release.reaches": COUNTED,
    "Release.drift": COUNTED,
    "Release.lost": COUNTED,
    "Release.dropped": COUNTED,
    "Release.moved": COUNTED,
    "Release.unrepeatable": "by columns: what differs in another, or in the number of rows, fails",
    "Release.not_from_zero": TOLD,
    "Release.not_rolling": TOLD,
    "Tenancy.shared": NAMED,
    "Tenancy.ownerless": COUNTED,
    "Tenancy.crossing": COUNTED,
    "ManyToMany.several": COUNTED,
    "Schemas.apart": COUNTED,
    "Schemas.unlike": COUNTED,
    "GenericReference.outlives": COUNTED,
    "SoftReference.outlives": COUNTED,
    "Login.single_sign_on": TOLD,
    "Visits.public": NAMED,
    "Visits.public_rows": "by the keys that its query returns",
    "Ledger.inexact": FIGURE,
    "Invoice.inexact": FIGURE,
    "Payment.inexact": FIGURE,
    "Usage.inexact": FIGURE,
    "Numbering.gaps": "by the two numbers that they lie between, in one count",
    "MoneyColumns.inexact": FIGURE,
    "Profile.money_changed": "by the sums in their new place or unit, the most that each may change, or the column that goes",
    "Limits.checks": "by the minutes: a check that does not fit tells on how many tenants it was tried, or is blocked",
    "Profile.tolerated": NAMED,
    "Profile.exempt": "by there being nothing to try: it fails where there is something",
    "Profile.waiver": COUNTED,
    "Profile.unconfirmed": "it accepts nothing: no drill is VERIFIED while it is there",
    "Pages.unrecorded": COUNTED,
    "Sites.skew": FIGURE,
    "FileColumn.may_be_empty": COUNTED,
    "FileColumn.unclaimed": COUNTED,
}
PROMISES = {
    "Proofs": "budget every_nights",
    "Profile": "proof application backup targets schedule limits release recovery tenancy ledger invoice payment period "
    "usage money currencies domain follows sites files hosts",
    "Recovery": "stop still_running migrate empty_queues start answers twice command_seconds migrate_minutes sites_root "
    "uploads_root keep rehearse",
    "Application": "name manage health environment inherit",
    "Backup": "pattern required least_bytes image least_clients shrink_over newest_row",
    "NewestRow": "table column hours",
    "Targets": "rpo_hours rto_minutes",
    "Schedule": "every_hours since keep_daily keep_weekly keep_monthly remove_after_days also",
    "Limits": "locate serve restore stall facts migrate sites application release",
    "Release": "lock_rows lock_seconds write_lock_seconds lock_wait_seconds wal_bytes temp_bytes disk_bytes load "
    "settings addresses page_seconds",
    "Load": "tables largest stall_seconds",
    "Tenancy": "root owner_via downward many_to_many path_string owner_query schemas generic_reference soft_reference "
    "row_security login probe",
    "Downward": "table owner columns",
    "ManyToMany": "table through columns",
    "PathString": "table column separator owner owner_path owner_row",
    "Schemas": "column",
    "GenericReference": "table type_column id_column models within",
    "SoftReference": "table column json_path target target_column within",
    "RowSecurity": "role setting tables every_tenant_up_to",
    "Login": "users key active password members owner status active_tenants",
    "Members": "table user tenant group groups role owners",
    "Groups": "table group tenant",
    "Visits": "tenants rows privileged tables openapi session headers cookies token token_query",
    "Ledger": "name table query tenant account currency order amount balance opening balance_of kinds not_negative live",
    "Opening": "table query tenant key column live",
    "BalanceColumn": "table query tenant key column live",
    "Live": "column values",
    "EntryKinds": "column credits debits either unsigned",
    "Invoice": "name table query tenant currency status paid unpaid subtotal tax tax_rule plus discount total "
    "total_again credited credits lines json_lines numbering live",
    "TotalAgain": "column json_path",
    "TaxRule": "of rate line_rate rounding percent per_line per_rate included",
    "Credits": "table query invoice amount negative tenant currency status counts live",
    "Lines": "table query invoice amount less live",
    "JsonLines": "column amount",
    "Numbering": "column scope gapless first serial series year_of",
    "Payment": "name settles table query invoice tenant currency amount refunded status succeeded processor_id refunds "
    "minor_units excess live",
    "Refunds": "table query payment amount status succeeded processor_id live",
    "Period": "name table query tenant owner start end last_day gapless active live",
    "ActivePeriods": "status means served",
    "Served": "table key live",
    "Usage": "name charges table amount by kinds live",
    "MoneyColumns": "table columns currency",
    "Currencies": "table code exponent exponents",
    "Domain": "table one_of not_negative in_order live",
    "Follows": "name table moment of by not_before live",
    "Sites": "table key tenant status deployed deployments archive domains pages",
    "Deployments": "table site version digest status live at",
    "SiteArchive": "site_folder version_folder current_link definition definition_site definition_tenant served clean_urls",
    "Pages": "table site path query",
    "FileColumn": "name table path query root prefix claims tenant tenant_folder size sha256",
    "Hosts": "names columns",
}
# What an exception itself says: its bound, its reason, and whose it is.
BOUNDS = {
    "Counted": "reason at_most",
    "InColumns": "reason columns",
    "Ownerless": "reason condition at_most below",
    "Outlives": "reason condition at_most",
    "Several": "reason condition at_most",
    "Crossing": "reason condition at_most reference",
    "PublicRows": "reason condition",
    "Inexact": "tolerance reason",
    "Gap": "after before within reason",
    "MoneyChanged": "table column becomes times at_most dropped reason",
    "Skew": "minutes",
    "Waiver": "control subject at_most keys says owner ticket reason approved_by until",
}
WHY = "known since the move"


def shapes(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A part of the profile and all within it."""
    yield of
    for field in of.model_fields.values():
        for part in _within(field.annotation):
            yield from shapes(part)


def _within(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not SqlFile:
        yield annotation
    for inner in get_args(annotation):
        yield from _within(inner)


def test_every_key_is_a_promise_or_an_exception_whose_bound_is_known() -> None:
    """A key that this fails for: does a control pass because of it? Then say in EXCEPTIONS what its bound is."""
    keys = {f"{shape.__name__}.{key}" for shape in shapes(Profile) for key in shape.model_fields}
    said = {f"{shape}.{key}" for part in (PROMISES, BOUNDS) for shape, text in part.items() for key in text.split()}
    assert keys == said | EXCEPTIONS.keys()
    assert not said & EXCEPTIONS.keys()


def test_what_is_counted_has_a_kind_of_its_own_in_the_evidence() -> None:
    counted = {key.rpartition(".")[2] for key, bound in EXCEPTIONS.items() if bound == COUNTED}
    assert counted <= set(get_args(ExceptionKind))


FORMER: dict[str, tuple[Any, object]] = {
    "outlives": (SoftReference, {"table": "a", "column": "b", "target": "c", "outlives": WHY}),
    "ownerless": (Ownerless, WHY),
    "unclaimed": (FileColumn, {"name": "x", "table": "a", "path": "b", "root": "", "unclaimed": {"*": WHY}}),
    "may_be_empty": (FileColumn, {"name": "x", "table": "a", "path": "b", "root": "", "may_be_empty": True}),
    "unrecorded": (Pages, {"table": "a", "site": "b", "path": "c", "unrecorded": {"*": WHY}}),
    "apart": (Schemas, {"column": "a", "apart": {"x": WHY}}),
    "unmade_migrations": (Application, {"name": "x", "environment": {}, "unmade_migrations": "report"}),
    **{
        key: (Release, {key: {name: WHY}})
        for key, name in {
            "deploy_checks": "security.W008",
            "reaches": "lookup *",
            "drift": "index *",
            "lost": "sessions",
            "dropped": "orders.note",
            "moved": "vouchers",
        }.items()
    },
}


@pytest.mark.parametrize("key", FORMER)
def test_a_reason_alone_is_refused_with_what_to_write(key: str) -> None:
    shape, written = FORMER[key]
    with pytest.raises(ValidationError, match=r"later would be accepted too: write \{ at_most = N, reason = "):
        TypeAdapter(shape).validate_python(written)


def test_other_bounds_are_asked_for_in_their_own_words() -> None:
    with pytest.raises(ValidationError, match=r"write \{ columns = "):
        TypeAdapter(InColumns).validate_python(WHY)
    with pytest.raises(ValidationError, match="any row whose target is lost later would be accepted too: add at_most"):
        Outlives.model_validate({"reason": WHY})
    changed = {"table": "a", "column": "b", "reason": WHY}
    for bound in ({}, {"times": 100, "at_most": 1}, {"dropped": True, "becomes": "c"}):
        with pytest.raises(ValidationError, match="whatever else changes the sums would be accepted too"):
            MoneyChanged.model_validate({**changed, **bound})
    assert Counted.model_validate({"at_most": 2, "reason": WHY}).at_most == 2


def waiver(**bound: object) -> Waiver:
    words = {
        "subject": "whole",
        "owner": "billing team",
        "ticket": "OPS-1",
        "reason": WHY,
        "approved_by": "head of operations",
    }
    return Waiver.model_validate({"control": "BAK-01", "until": date(2027, 1, 1), **words, **bound})


def test_a_waiver_of_one_yes_or_no_names_its_cause_and_accepts_no_other() -> None:
    message = "the files were read 90 minutes away from the snapshot"
    named = waiver(says="the files were read")
    assert named.exceeded(1, (), message) == ""
    assert named.exceeded(1, (), "no file was read") == "its waiver accepts another cause: the files were read"
    assert "this is counted" in named.exceeded(1, ("id=1",), message)
    assert "give says = words of this message" in waiver(at_most=1).exceeded(1, (), message)
    assert waiver(at_most=1).exceeded(1, ("id=1",), message) == ""
    assert waiver(at_most=1).exceeded(2, ("id=1", "id=2"), message) == "its waiver accepts at most 1"
    assert waiver(at_most=3).exceeded(2, (), message) == ""
    for bound in ({}, {"at_most": 1, "says": "the files"}, {"keys": ["id=1"], "says": "the files"}):
        with pytest.raises(ValidationError, match="one of the three"):
            waiver(**bound)


def accepting(*counted: tuple[ExceptionKind, str, int]) -> Result:
    excepted = (Excepted(what=what, entry=entry, count=many, at_most=9, reason=WHY) for what, entry, many in counted)
    return examples.result("FIL-02", "whole", excepted=tuple(excepted))


def test_what_is_excepted_stands_beside_the_number_of_the_last_drill() -> None:
    """Each entry beside its own number: what that drill did not count has none."""
    before = examples.evidence([accepting(("unclaimed", "draft-*", 3), ("unclaimed", "*.tmp", 5), ("crossing", "", 1))])
    gathered = Gatherer([Planned("verify/test_files.py::test_it", "FIL-02", "whole")])
    now = accepting(("unclaimed", "draft-*", 4), ("unclaimed", "new-*", 2), ("crossing", "", 0))
    gathered.results["FIL-02", "whole"] = now
    evidence = build_evidence(
        record=before.record,
        targets=Targets(rpo_hours=1, rto_minutes=1),
        cards=(),
        gathered=gathered,
        teardown=(),
        finished_at=before.finished_at,
        not_shown=(),
        signed_by="",
        origin=before.origin,
        masking=before.masking,
        before=before,
    )
    (result,) = evidence.results
    assert [(each.entry, each.count, each.before) for each in result.excepted] == [
        ("draft-*", 4, 3),
        ("new-*", 2, None),
        ("", 0, 1),
    ]
