"""Quantities, moments and outcomes in words, and text made safe to show anywhere."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup

from fixtures.record import evidence, queries
from fixtures.record.counts import last as last
from fixtures.record.counts import many as many
from fixtures.record.counts import units as units
from fixtures.record.durations import duration as duration
from fixtures.record.evidence import Measure, Outcome, Result
from fixtures.record.server_facts import Cloning, Programs
from fixtures.record.set_record import Delivery
from fixtures.record.sizes import size as size
from fixtures.record.stage import cause_and_fix as cause_and_fix

EVIDENCE, QUERIES = evidence.FILE, queries.FILE
NOT_MADE = ".not-made.txt"
"""What follows a document's name where the machine could not make it: a text that says why."""

# Worst first: the order in which a person should read.
OUTCOMES: tuple[Outcome, ...] = ("failed", "blocked", "waived", "exempt", "passed")
SIGNS: dict[Outcome, str] = {"failed": "✕", "blocked": "?", "waived": "!", "exempt": "-", "passed": "✓"}
NOTHING_EXAMINED = "passed, but there was nothing to examine"

_CLONED = {
    "wal_log": "each block written anew",
    "file_copy": "files copied",
    "file_copy, cloned": "blocks shared with what was cloned until one of the two writes",
}

# Control, invisible or turning the direction of text, not a character, private, line and paragraph separators.
_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def plain(text: str) -> str:
    """Text with what a reader cannot see written out (`\\x1b`), so that no name can steer a terminal or a page."""
    # Most texts are, and looking at each character would take longer than all else that a document takes.
    if isinstance(text, Markup) or text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in _UNSHOWN:
        return character
    return character.encode("unicode_escape").decode("ascii")


def one_line(text: str, longest: int = 0) -> str:
    """The text on one line, cut with an ellipsis after `longest` characters (0: never)."""
    line = " ".join(plain(text).split())
    return line if not longest or len(line) <= longest else line[: longest - 1].rstrip() + "…"


def number(value: int) -> str:
    return f"{value:,}"


def ordinal(value: int) -> str:
    """`1st`, `2nd`, `11th`."""
    ending = "th" if 10 <= value % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value:,}{ending}"


def moment(value: datetime) -> str:
    """In UTC, whatever zone the reader's machine is in; a moment without a zone is taken as UTC."""
    zoned = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return zoned.strftime("%Y-%m-%d %H:%M:%S UTC")


def stamp(value: datetime) -> str:
    """As ISO 8601 to the second, in UTC: what machines read."""
    zoned = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return zoned.strftime("%Y-%m-%dT%H:%M:%SZ")


def mode(value: int | None) -> str:
    """As `ls` has it in digits; a store keeps none."""
    return f"{value & 0o7777:04o}" if value is not None else "not known"


def delivered(delivery: Delivery) -> str:
    """How the files came, in figures."""
    parts = [f"{size(delivery.bytes)} in {duration(delivery.seconds)}"]
    parts += [f"{many(delivery.resumed, 'broken connection')} taken up"] if delivery.resumed else []
    parts += [f"{many(delivery.restarted, 'changed file')} fetched again"] if delivery.restarted else []
    parts += [f"{many(delivery.cached, 'file')} from the cache"] if delivery.cached else []
    return ", ".join(parts)


def programs(used: Programs) -> str:
    """Whose Postgres programs were used: where they lie, their version, their package and who made it."""
    package = f"of {used.package}" if used.package else "of no package that dpkg or rpm know"
    return f"{used.folder}, {used.version}, {package}, {f'made by {used.maker}' if used.maker else 'its maker is not named'}"


def cloning(chosen: Cloning) -> str:
    """How each clone of a drill is made, and why so."""
    return f"{_CLONED[chosen.way]} ({chosen.way}): {chosen.why}"


def looked_at(result: Result) -> str:
    """How much broke of how much was looked at; a pass on nothing never reads like a pass on something, nor one on some
    tenants like one on all."""
    looked = _looked_at(result)
    return looked if result.on_tenants is None else f"{looked}, {result.on_tenants.in_words}"


def _looked_at(result: Result) -> str:
    if result.outcome == "blocked":
        return "could not be tried"
    if result.outcome == "exempt":
        return "not tried"
    if result.examined is None:
        return f"{number(result.broken)} broken" if result.broken else "not counted"
    if result.examined == 0 and result.outcome == "passed":
        return NOTHING_EXAMINED
    if result.broken > result.examined:
        # What was to be counted is itself what is missing, as files that were never made.
        return f"{number(result.broken)} broken"
    if result.broken:
        beside = "" if result.out_of is None else f", of {number(result.out_of)} that there are"
        return f"{number(result.broken)} of {units(result.examined, result.unit)} broken{beside}"
    return f"{units_of(result.examined, result.out_of, result.unit)} examined"


def units_of(examined: int, out_of: int | None, unit: str) -> str:
    """`12 rows`, and `1 of 666 addresses` where not all of them could be looked at."""
    return units(examined, unit) if out_of is None else f"{number(examined)} of {units(out_of, unit)}"


def samples_label(result: Result) -> str:
    """What the samples of a finding are: by what was counted, else whose they are; and whether any of them is masked."""
    tenants = result.control.startswith("FID") and all(sample.startswith("tenant=") for sample in result.samples)
    noun = "tenants" if tenants else result.unit or "keys"
    hidden = any("hmac:" in sample for sample in result.samples)
    return noun[0].upper() + noun[1:] + (" (what a person wrote is masked)" if hidden else "")


def days_left(days: int) -> str:
    """Of a waiver: its last day is a day on which it still holds."""
    return "today for the last time" if days == 0 else f"for {many(days, 'more day')}"


def quantity(value: float, unit: str) -> str:
    return f"{value:,.2f}".rstrip("0").rstrip(".") + f" {unit}"


_SECONDS = {"hours": 3600, "minutes": 60}


def measured(measure: Measure) -> str:
    """What was measured, in words; a target that was never reached has no figure."""
    if measure.measured is None:
        return f"not measured: {measure.unmeasured}" if measure.unmeasured else "not measured"
    return duration(measure.measured * _SECONDS[measure.unit])


def target(measure: Measure) -> str:
    """What the profile promises, in the words of what was measured."""
    return duration(measure.target * _SECONDS[measure.unit])


def met(measure: Measure) -> str:
    if measure.measured is None:
        return "not known"
    return "met" if measure.measured <= measure.target else "missed"


def few(names: Sequence[str], most: int) -> str:
    """The first `most` names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {number(len(names) - most)} more"


def write(path: Path, content: str | bytes) -> Path:
    """Write a document whole: a reader never meets half of one."""
    return write_aside(path, (content,)).replace(path)


def write_aside(path: Path, pieces: Iterable[str | bytes]) -> Path:
    """Write a document beside its place, piece by piece, to be renamed once it is whole."""
    partial = aside(path)
    with partial.open("wb") as file:
        for piece in pieces:
            file.write(piece.encode() if isinstance(piece, str) else piece)
    return partial


def aside(path: Path) -> Path:
    """Where a document lies until it is whole."""
    return path.with_name(f".{path.name}.partial")
