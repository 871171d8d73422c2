"""What a report counts reads as a person would say it."""

import pytest

from fixtures.record.evidence import Result
from reports import words

ONE = {
    "files": "1 file",
    "entries": "1 entry",
    "addresses": "1 address",
    "pieces of code": "1 piece of code",
    "deployed sites": "1 deployed site",
    "sets before it": "1 set before it",
    "roles and grants": "1 role or grant",
    "tables, columns and keys": "1 table or column or key",
    "published files with links": "1 published file with links",
}


@pytest.mark.parametrize("unit", ONE)
def test_one_is_not_many(unit: str) -> None:
    assert words.units(1, unit) == ONE[unit]
    assert words.units(2_000, unit) == f"2,000 {unit}"


def test_nothing_is_broken_of_nothing() -> None:
    assert words.looked_at(result(broken=1, examined=0)) == "1 broken"
    assert words.looked_at(result(broken=1, examined=1)) == "1 of 1 file broken"
    assert words.looked_at(result(broken=0, examined=1)) == "1 file examined"


def result(*, broken: int, examined: int) -> Result:
    return Result(
        control="APP-03",
        subject="whole",
        outcome="failed" if broken else "passed",
        message="",
        broken=broken,
        examined=examined,
        unit="files",
        samples=(),
        seconds=0.0,
    )


@pytest.mark.parametrize(
    ("control", "unit", "samples", "label"),
    [
        ("BAK-02", "parts", ("sites",), "Parts"),
        ("RST-02", "objects", ("TABLE public.igny8_tags",), "Objects"),
        ("FID-01", "tables", ("tenant=1 rows=-270",), "Tenants"),
        ("BIL-51", "rows", ("tenant=1 entry_no=3",), "Rows"),
        ("SIT-04", "site folders", ("site=hmac:c9f2af2026bd",), "Site folders (what a person wrote is masked)"),
    ],
)
def test_samples_are_called_what_they_are(control: str, unit: str, samples: tuple[str, ...], label: str) -> None:
    found = result(broken=1, examined=1).model_copy(update={"control": control, "unit": unit, "samples": samples})
    assert words.samples_label(found) == label
