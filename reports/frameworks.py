"""Tells which requirements of which framework each control supports, as docs/frameworks.md has them."""

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Requirement:
    """One requirement, and the controls that show it or show it in part: an area, a control, or a range `AAA-01…AAA-09`."""

    name: str
    shown: tuple[str, ...] = ()
    partly: tuple[str, ...] = ()


REQUIREMENTS = (
    Requirement(
        "ISO/IEC 27001:2022 A.8.13",
        ("RST-01…RST-18", "FID-01…FID-12", "BAK-01", "BAK-02", "BAK-04"),
        partly=("BAK-10", "BAK-11", "BAK-05", "BAK-06", "BAK-09"),
    ),
    Requirement("ISO/IEC 27001:2022 A.5.30", ("RST-08", "BAK-04", "APP-01…APP-07")),
    Requirement("SOC 2 A1.2", ("BAK-01…BAK-16", "RST-01…RST-03")),
    Requirement("SOC 2 A1.3"),
    Requirement("SOC 2 CC7.5", ("FID-01…FID-12", "TEN", "BIL", "SIT", "FIL")),
    Requirement("NIST SP 800-53 CP-4"),
    Requirement("NIST SP 800-53 CP-9(1)", ("BAK-03", "RST", "FID")),
    Requirement("NIST SP 800-53 CP-9(2)", ("RST", "FID", "MIG", "APP")),
    Requirement(
        "NIST SP 800-53 CP-10",
        (
            "FID-01…FID-12",
            "MIG-01…MIG-08",
            "APP-01…APP-07",
            "RST-08",
        ),
        partly=("BIL-01…BIL-24",),
    ),
    Requirement("NIST SP 800-53 SI-7", ("BAK-03", "FID-04", "FID-05")),
    Requirement("NIST SP 800-34"),
    Requirement("PCI DSS 12.10.1, 12.10.2"),
    Requirement("PCI DSS 6.5.5", partly=("BAK-13", "BAK-14")),
    Requirement("HIPAA 164.308(a)(7)(ii)(D)"),
    Requirement("GDPR 32(1)(c)", ("RST-08",)),
    Requirement("GDPR 32(1)(d)"),
    Requirement("CIS Controls 11.5"),
    Requirement("DORA 11(6)", ("RST", "APP")),
    Requirement("DORA 12(1)", ("RST-01…RST-18", "MIG", "APP"), partly=("BAK-01", "BAK-04", "BAK-10", "BAK-11")),
    Requirement("DORA 12(2)", ("RST-01…RST-18", "FID-01…FID-12"), partly=("BAK-05", "BAK-06", "BAK-09")),
    Requirement("DORA 12(6)", ("RST-08", "BAK-04")),
    Requirement("DORA 12(7)", ("FID-01…FID-12", "TEN", "BIL", "SIT", "FIL")),
)


@cache
def supported_by(control: str) -> tuple[str, ...]:
    """The requirements that a control supports, those that it supports in part marked so."""
    names = []
    for each in REQUIREMENTS:
        if any(_holds(entry, control) for entry in each.shown):
            names.append(each.name)
        elif any(_holds(entry, control) for entry in each.partly):
            names.append(f"{each.name} (in part)")
    return tuple(names)


def _holds(entry: str, control: str) -> bool:
    first, _, last = entry.partition("…")
    if last:
        return first <= control <= last
    return control == entry or control.split("-")[0] == entry
