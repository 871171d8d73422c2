"""Makes HTML documents of templates: what is missing is an error, and every text is made plain and escaped."""

import hashlib
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemBytecodeCache, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from fixtures.record import stages
from reports import words

_CODE = Path(__file__).parent
# A control's id, and a figure with its unit: no line ends within them.
_TOGETHER = re.compile(r"\b[A-Z]{3}-\d\d\b|\b[\d.,]*\d (?:ms|s|min|h|B|[KMGT]iB)\b")
_WHOLE = r'<span class="whole">\g<0></span>'


def html_templates(spelled: Callable[[str], str] = words.plain, **shown: Any) -> Environment:
    """Templates that print each value as `spelled` writes it and know `shown` by its names. The filter `whole`
    keeps ids and figures of a text from being parted by the end of a line.

    Printing None raises TypeError, printing what has no value jinja2.UndefinedError."""

    def finalize(value: Any) -> Any:
        if value is None:
            raise TypeError("a document's template printed a value that is not there")
        return value if isinstance(value, int | float | Markup) else spelled(str(value))

    environment = Environment(
        loader=PackageLoader(__package__),
        bytecode_cache=kept_compiled(spelled),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for each in (words.number, words.size, words.duration, words.moment, words.mode):
        environment.filters[each.__name__] = each
    environment.filters["whole"] = lambda text: _together(spelled(text))
    environment.globals.update(words=words, stages=stages, **shown)
    return environment


def _together(text: str) -> Markup:
    return Markup(_TOGETHER.sub(_WHOLE, str(escape(text))))  # noqa: S704 - escaped before it is marked


class Compiled(FileSystemBytecodeCache):
    """Compiled templates, beside Python's own bytecode and trusted as that is. One is used only while its source and all
    code that it could have been compiled with are what they were; `spelled` names what writes its values."""

    def __init__(self, folder: Path, spelled: str) -> None:
        super().__init__(str(folder), "template-%s.cache")
        self._spelled = spelled

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        return super().get_cache_key(f"{self._spelled} {name}", filename)

    def get_source_checksum(self, source: str) -> str:
        return hashlib.sha256(f"{compiled_with()} {source}".encode()).hexdigest()


def kept_compiled(spelled: Callable[..., object], folder: Path = _CODE / "__pycache__") -> Compiled | None:
    """Compiled templates whose values `spelled` writes; None where Python is to keep no bytecode either, or cannot."""
    usable = not sys.dont_write_bytecode and folder.is_dir() and os.access(folder, os.W_OK)
    return Compiled(folder, f"{spelled.__module__}.{spelled.__qualname__}") if usable else None


@cache
def compiled_with() -> str:
    """The digest of Jinja's release and of our code: what a template says of constants is worked out as it is compiled."""
    digest = hashlib.sha256(version("jinja2").encode())
    for folder in (_CODE, Path(stages.__file__).parent):
        for path in sorted(folder.rglob("*.py")):
            digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
