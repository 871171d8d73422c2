"""summary.md: the drill in the size of a pull request's comment."""

from dataclasses import dataclass

from reports import markdown
from reports.schema_diff import schema_diff
from reports.story import Story

# A comment on GitHub holds 65,536 characters; the rest is left to whoever quotes it.
MOST_CHARACTERS = 60_000


@dataclass(frozen=True)
class Room:
    """How much is told before the rest is only counted."""

    controls: int
    subjects: int
    message: int
    lines: int


ROOMS = (Room(20, 5, 300, 60), Room(12, 3, 200, 40), Room(6, 2, 120, 20), Room(2, 1, 80, 5))


def write_up(story: Story) -> str:
    """The most detailed summary that fits; raises ValueError when even the shortest does not."""
    record = story.evidence.record
    template = markdown.templates().get_template("summary.md.j2")
    for room in ROOMS:
        text = template.render(
            story=story, evidence=story.evidence, record=record, room=room, schema=schema_diff(record)
        )
        if len(text) <= MOST_CHARACTERS:
            return text
    raise ValueError(
        f"summary.md would hold {len(text):,} characters, more than the {MOST_CHARACTERS:,} that a comment takes: "
        "some text in evidence.json (headline, not_shown, a title) is far too long"
    )
