"""A problem of one entry of the profile blocks the subjects of that entry, and none of the others is left out."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.drilled import Drilled
from fixtures.database.reconcile import reconcile, unbrought
from fixtures.plan.subjects import NOT_ENUMERATED, NotEnumerated, enumerate_subjects
from fixtures.profile.reading import read_profile
from fixtures.profile.unfit import of_owners
from fixtures.record.facts import Facts
from tests.support.catalogues import facts, points, table
from tests.support.record_examples import record

PATH = "profile.toml"
WHOLE = """
[application]
name = "shop"
environment = { DATABASE_URL = "{url}" }
[backup]
required = ["dump"]
least_bytes = 1
[targets]
rpo_hours = 24
rto_minutes = 60
[currencies]
exponents = { EUR = 2 }
[tenancy]
root = "tenants"
[[files]]
name = "all"
table = "prices1"
path = "path"
root = "media"
"""
# Two of each, which differ by the number alone.
EACH = """
[[tenancy.soft_reference]]
table = "notes#"
column = "code"
target = "prices#"
target_column = "net"
[[tenancy.generic_reference]]
table = "notes#"
type_column = "type"
id_column = "object"
models = { "shop.price" = "prices#" }
[[ledger]]
name = "ledger#"
table = "entries#"
account = "tenant"
order = ["nr"]
amount = "amount"
balance = "balance"
kinds = { column = "kind", credits = ["in"] }
[[usage]]
name = "usage#"
charges = "ledger#"
table = "used#"
amount = "amount"
by = { tenant = "tenant" }
[[invoice]]
name = "invoice#"
table = "bills#"
tenant = "tenant"
currency = "currency"
status = "status"
paid = ["paid"]
unpaid = ["void"]
subtotal = "subtotal"
total = "total"
[[payment]]
name = "payment#"
settles = "invoice#"
table = "paid#"
invoice = "bill"
amount = "amount"
processor_id = ["processor"]
[[period]]
name = "period#"
table = "rentals#"
owner = ["tenant"]
start = "begins"
end = "ends"
active = { status = "status", means = ["runs"] }
[[money]]
table = "prices#"
columns = ["net"]
[[money_changed]]
table = "prices#"
column = "net"
at_most = 1
reason = "the release rounds it"
[[domain]]
table = "prices#"
not_negative = ["gross"]
[[follows]]
name = "follows#"
table = "paid#"
moment = "at"
of = "bills#"
by = { bill = "id" }
not_before = "at"
[[files]]
name = "files#"
table = "paid#"
path = "path"
root = "media/files#"
size = "size"
tenant_folder = "{tenant}"
"""
TABLES = {
    "notes": ("code", "type", "object"),
    "entries": ("tenant", "nr", "amount", "balance", "kind"),
    "used": ("tenant", "amount"),
    "bills": ("tenant", "currency", "status", "subtotal", "total", "at"),
    "paid": ("bill", "amount", "processor", "at", "path", "size"),
    "rentals": ("tenant", "begins", "ends", "status"),
    "prices": ("net", "gross", "path"),
}
NUMBERS = ("1", "2")
THERE = facts(
    table("tenants"),
    *(table(f"{name}{number}", *columns) for name, columns in TABLES.items() for number in NUMBERS),
    foreign_keys=(points("rentals1", "tenant", "tenants"),),
)
# The kinds of subjects that come from entries of the profile.
KINDS = (
    "soft_reference",
    "generic_reference",
    "ledger",
    "ledger_kinds",
    "usage",
    "invoice",
    "payment",
    "payment_of_voidable",
    "processor_id",
    "period",
    "active_period",
    "money_table",
    "money_in_currency",
    "money_kept",
    "signed_amounts",
    "ordered_moments",
    "file_column",
    "claimed_folder",
    "measured_file_column",
    "tenant_file_column",
)


def written(folder: Path, former: str = "", latter: str = "", there: Facts = THERE) -> Drilled:
    """The second of each entry with `latter` for `former`, as a drill knows it that restored this database."""
    one, two = (EACH.replace("#", number) for number in NUMBERS)
    assert not former or two.count(former) == 1
    (folder / PATH).write_text(WHOLE + one + (two.replace(former, latter) if former else two))
    source = read_profile(folder)
    at_once, later = reconcile(source.profile, there, PATH).problems, unbrought(source.profile, there, there, PATH)
    problems = (*at_once, *later)
    assert len(problems) == bool(former), problems
    looked = {"facts": there, "migrated_facts": there, "profile_problems": problems, "profile_path": PATH}
    return Drilled.of_record(record(**looked), source)


def planned(drilled: Drilled, kinds: Iterable[str] = KINDS) -> Mapping[tuple[str, str], str]:
    """Each subject by its kind and its name, and why it is blocked; nothing where it is tried."""
    return {
        (kind, subject.id): subject.value.cause if isinstance(subject.value, NotEnumerated) else ""
        for kind in kinds
        for subject in enumerate_subjects(kind, drilled)
    }


MONEY = ("money_table", "money_in_currency", "money_kept")
SLIPS: Mapping[str, tuple[str, str, set[tuple[str, str]]]] = {
    "tenancy.soft_reference[1].target_column": (
        'target_column = "net"',
        'target_column = "nett"',
        {("soft_reference", "public.notes2(code)->public.prices2")},
    ),
    "tenancy.generic_reference[1].id_column": (
        'id_column = "object"',
        'id_column = "objet"',
        {("generic_reference", "public.notes2")},
    ),
    "ledger 'ledger2'.kinds.column": (
        'column = "kind"',
        'column = "kinds"',
        {
            *((kind, "ledger2") for kind in ("ledger", "ledger_kinds")),
            *((kind, "public.entries2") for kind in ("money_table", "money_kept")),
        },
    ),
    "usage 'usage2'.by": (
        'by = { tenant = "tenant" }',
        'by = { tenan = "tenant" }',
        {("usage", "usage2"), ("money_table", "public.used2"), ("money_kept", "public.used2")},
    ),
    # The payments of an invoice are in its currency.
    "invoice 'invoice2'.currency": (
        'currency = "currency"',
        'currency = "curency"',
        {
            ("invoice", "invoice2"),
            *((kind, f"public.{name}2") for kind in MONEY for name in ("bills", "paid")),
        },
    ),
    "payment 'payment2'.processor_id": (
        'processor_id = ["processor"]',
        'processor_id = ["procesor"]',
        {
            *((kind, "payment2") for kind in ("payment", "payment_of_voidable", "processor_id")),
            *((kind, "public.paid2") for kind in MONEY),
        },
    ),
    "period 'period2'.end": (
        'end = "ends"',
        'end = "end"',
        {("period", "period2"), ("active_period", "period2")},
    ),
    "money[1].columns": (
        'columns = ["net"]',
        'columns = ["nett"]',
        {("money_table", "public.prices2"), ("money_kept", "public.prices2")},
    ),
    "money_changed[1].column": (
        'column = "net"\nat_most',
        'column = "nett"\nat_most',
        {("money_kept", "public.prices2")},
    ),
    "domain[1].not_negative": (
        'not_negative = ["gross"]',
        'not_negative = ["gros"]',
        {("signed_amounts", "public.prices2")},
    ),
    "follows 'follows2'.by": ('by = { bill = "id" }', 'by = { bil = "id" }', {("ordered_moments", "follows2")}),
    # Another column claims the folder around its root, in which its files lie.
    "files 'files2'.size": (
        'size = "size"',
        'size = "sizes"',
        {
            *((kind, "files2") for kind in ("file_column", "measured_file_column", "tenant_file_column")),
            *(("claimed_folder", folder) for folder in ("media", "media/files2")),
        },
    ),
}


def test_every_kind_has_subjects_of_both_entries(tmp_path: Path) -> None:
    drilled = written(tmp_path)
    assert set(planned(drilled).values()) == {""}
    assert NOT_ENUMERATED not in {subject for _, subject in planned(drilled)}


@pytest.mark.parametrize("key", SLIPS)
def test_a_slip_in_one_entry_blocks_its_subjects_and_all_are_planned(key: str, tmp_path: Path) -> None:
    former, latter, blocked = SLIPS[key]
    drilled = written(tmp_path, former, latter)
    (problem,) = drilled.record.profile_problems
    assert problem.startswith(f"{PATH}: {key}: ")
    found = planned(drilled)
    assert {subject for subject, why in found.items() if why} == blocked
    assert all(problem in found[subject] for subject in blocked)
    (tmp_path / "right").mkdir()
    assert found.keys() == planned(written(tmp_path / "right")).keys()


def test_a_table_that_two_entries_name_is_told_for_both(tmp_path: Path) -> None:
    tables = tuple(each for each in THERE.tables if each.name.name != "prices2")
    text = WHOLE + EACH.replace("#", "1") + '[[money]]\ntable = "prices2"\ncolumns = ["net"]\n' * 2
    (tmp_path / PATH).write_text(text)
    problems = reconcile(read_profile(tmp_path).profile, facts(*tables), PATH).problems
    assert [problem.split(": ")[1] for problem in problems] == ["money[1].table", "money[2].table"]


def test_what_is_asked_for_by_name_is_blocked_by_its_own_entry_alone(tmp_path: Path) -> None:
    profile = written(tmp_path, 'currency = "currency"', 'currency = "curency"').profile
    assert profile.invoice_named("invoice1").name == "invoice1"
    with pytest.raises(Blocked, match="no column curency"):
        profile.invoice_named("invoice2")
    # What rests on all of them is blocked by each.
    with pytest.raises(Blocked, match="no column curency"):
        _ = profile.invoice
    profile = written(tmp_path, 'order = ["nr"]', 'order = ["number"]').profile
    assert profile.ledger_named("ledger1").name == "ledger1"
    with pytest.raises(Blocked, match="no column number"):
        profile.ledger_named("ledger2")


def test_owners_rest_on_the_reference_that_gives_them_alone(tmp_path: Path) -> None:
    drilled = written(tmp_path, 'target_column = "net"', 'target_column = "nett"')
    problems, tenancy = drilled.record.profile_problems, drilled.source.profile.tenancy
    for reference, decides in zip(tenancy.soft_reference, (False, True), strict=True):
        via = tenancy.model_copy(update={"owner_via": {reference.table: (reference.column,)}})
        assert bool(of_owners(problems, PATH, via)) == decides


def test_a_problem_that_names_no_entry_blocks_each(tmp_path: Path) -> None:
    drilled = written(tmp_path)
    problems = (f"{PATH}: ledger: another thing",)
    drilled = Drilled.of_record(drilled.record.model_copy(update={"profile_problems": problems}), drilled.source)
    assert all(planned(drilled, ["ledger"]).values())
