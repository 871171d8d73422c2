"""The shape in which every table's rows are handed to the loader."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """Rows of one table, streamed; `key` is the column whose sequence has to follow them, if there is one."""

    table: str
    columns: tuple[str, ...]
    rows: Iterable[tuple[object, ...]]
    key: str | None = "id"
