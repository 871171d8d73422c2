"""Markdown in which no name, message or key can become formatting, a link, a mention or HTML."""

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fixtures.record import stages
from reports import words
from reports.templating import kept_compiled

# What formats wherever it stands, and what does at the start of a line alone.
_SPECIAL = re.compile(r"([\\`*_\[\]|~$])")
_AT_START = re.compile(r"^([-+=>#]|\d+(?=[.)](\s|$)))")


class Literal(str):
    """Text that is Markdown already and goes out as it is."""

    __slots__ = ()


def escaped(text: str) -> Literal:
    """One line of prose. GitHub links bare addresses, @names and #numbers after it has undone escapes: an empty
    comment, or an entity, parts them."""
    line = words.one_line(text).replace("&", "&amp;").replace("<", "&lt;")
    line = _SPECIAL.sub(r"\\\1", line)
    line = _AT_START.sub(lambda match: _entity(match[0]), line)
    line = line.replace("://", "&#58;//").replace("www.", "www&#46;")
    return Literal(line.replace("@", "@<!-- -->").replace("#", "#<!-- -->").replace("&#<!-- -->", "&#"))


def _entity(text: str) -> str:
    return f"&#{ord(text[0])};{text[1:]}"


def code(text: str) -> Literal:
    """A code span; inside it nothing is formatting but its own backticks."""
    line = words.one_line(text) or " "
    marks = "`" * (_longest_run(line) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return Literal(f"{marks}{space}{line}{space}{marks}")


def cell(text: str) -> Literal:
    """A code span in a table, where GitHub splits cells at a bar before it looks for code."""
    return Literal(code(text).replace("|", "\\|"))


def fence(text: str, language: str = "sh") -> Literal:
    """A fenced block whose content cannot close it."""
    marks = "`" * max(3, _longest_run(text) + 1)
    return Literal(f"{marks}{language}\n{text.rstrip()}\n{marks}")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)


def _finalize(value: Any) -> Any:
    if value is None:
        raise TypeError("a document's template printed a value that is not there")
    return value if isinstance(value, Literal | int | float) else escaped(str(value))


@cache
def templates() -> Environment:
    """Templates in which every printed value is escaped unless it is a Literal."""
    environment = Environment(
        loader=PackageLoader(__package__),
        bytecode_cache=kept_compiled(_finalize),
        autoescape=False,  # noqa: S701 - _finalize escapes everything, as Markdown
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(code=code, cell=cell, fence=fence)
    environment.globals.update(words=words, stages=stages)
    return environment
