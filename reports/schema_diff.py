"""Schemas side by side as lines with a sign: what a release changes, and what production has other than its code."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from fixtures.record.record import DrillRecord
from fixtures.record.release.comparison import SchemaDifference

LINES_SHOWN = 400


@dataclass(frozen=True)
class Line:
    """`sign` as in any diff: what is gone, what is there now."""

    sign: Literal["-", "+"]
    text: str


@dataclass(frozen=True)
class SchemaDiff:
    """`changes` from the restored schema to the migrated one; `drift` from the code's own schema to the migrated one."""

    changes: tuple[Line, ...]
    drift: tuple[Line, ...]

    def written(self, most: int, width: int) -> str:
        """The first `most` changes, none longer than `width` characters."""
        return "\n".join(f"{line.sign} {_shortened(line.text, width)}" for line in self.changes[:most])


def schema_diff(record: DrillRecord) -> SchemaDiff | None:
    """None where no gate compared them."""
    comparison = record.release.comparison if record.release is not None else None
    return SchemaDiff(_lines(comparison.changes), _lines(comparison.drift)) if comparison is not None else None


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _lines(differences: Iterable[SchemaDifference]) -> tuple[Line, ...]:
    lines = []
    for each in differences:
        if each.before is not None:
            lines.append(Line("-", _text(each, each.before)))
        if each.after is not None:
            lines.append(Line("+", _text(each, each.after)))
    return tuple(lines)


def _text(difference: SchemaDifference, definition: str) -> str:
    """In one line, whatever a view's query or a function's settings hold."""
    text = f"{difference.label}: {definition}" if definition else difference.label
    return " ".join(text.split())
