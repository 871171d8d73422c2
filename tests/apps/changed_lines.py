"""Counts the lines that a person changes to make the confirmed profile of a draft: those to write, and those to take out.

A line is a key and its value, told by what it is of: an entry by its table, not by its name or place. A reason's own words
are no difference, nor are comments, the order, and an area that is exempt as a whole where the draft exempts its controls."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fixtures.commands.continuing.commented import plain

# What tells the entries of one table apart.
_KEYS = ("table", "reference", "column", "id_column", "path", "json_path", "control", "subject")
_WORDS = ("reason",)
# Every entry of these is a reason: the key alone is the line.
_REASONS = ("tenancy.shared", "exempt")
# Named as whoever writes it likes, and who names it names it so.
_NAMES = ("name", "settles", "charges")


@dataclass(frozen=True)
class ChangedLines:
    """The keys of lines to write (or to write otherwise), and of those to take out."""

    write: tuple[str, ...]
    take_out: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.write) + len(self.take_out)

    def __str__(self) -> str:
        return "\n".join(("write:", *self.write, "take out:", *self.take_out))


def changed_lines(drafted: Mapping[str, Any], confirmed: Mapping[str, Any]) -> ChangedLines:
    """Both as TOML reads them."""
    before, after = dict(_lines(drafted)), dict(_lines(confirmed))
    exempt = [key for key in (*before, *after) if key.startswith("exempt.")]
    write = [key for key, value in after.items() if key not in before or before[key] != value]
    take_out = [key for key in before if key not in after]
    return ChangedLines(
        tuple(sorted(key for key in write if not (_is_star(key) and any(_within(each, key) for each in before)))),
        tuple(
            sorted(
                key
                for key in take_out
                if key not in exempt or not any(_is_star(each) and _within(key, each) for each in after)
            )
        ),
    )


def _lines(said: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in said.items():
        path = f"{within}.{plain(key)}" if within else plain(key)
        if path == "unconfirmed" or key in (*_NAMES, *_WORDS):
            continue
        if within in _REASONS:
            yield path, ""
        elif isinstance(value, Mapping):
            yield from _lines(value, path)
        elif _are_entries(value):
            for entry in value:
                told = ",".join(plain(entry[each]) for each in _KEYS if each in entry)
                yield from _lines(entry, f"{path}[{told}]")
        else:
            yield path, _value(value)


def _are_entries(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _value(value: object) -> object:
    """In a list the order is no difference where its items are words."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return sorted(map(str, map(_value, value)))
    return plain(value) if isinstance(value, str) else value


def _is_star(key: str) -> bool:
    return key.startswith("exempt.") and key.endswith("-*")


def _within(key: str, star: str) -> bool:
    return key.startswith(star.removesuffix("*"))
