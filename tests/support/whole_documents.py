"""Documents that are made in pieces, whole."""

from reports.render import DOCUMENTS
from reports.story import Story


def whole(name: str, story: Story) -> str:
    """One that is text, by its file's name."""
    pieces = DOCUMENTS[name](story)
    return "".join(piece if isinstance(piece, str) else piece.decode() for piece in pieces)


def page_of(story: Story) -> str:
    return whole("index.html", story)


def junit_of(story: Story) -> str:
    return whole("junit.xml", story)


def oscal_of(story: Story) -> str:
    return whole("oscal.json", story)
