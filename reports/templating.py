"""Makes HTML documents of templates: what is missing is an error, and every text is made plain and escaped."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from fixtures.record import stages
from reports import words


def html_templates(spelled: Callable[[str], str] = words.plain, **shown: Any) -> Environment:
    """Templates that print each value as `spelled` writes it and know `shown` by its names.

    Printing None raises TypeError, printing what has no value jinja2.UndefinedError."""

    def finalize(value: Any) -> Any:
        if value is None:
            raise TypeError("a document's template printed a value that is not there")
        return value if isinstance(value, int | float | Markup) else spelled(str(value))

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for each in (words.number, words.size, words.duration, words.moment, words.mode):
        environment.filters[each.__name__] = each
    environment.globals.update(words=words, stages=stages, **shown)
    return environment
