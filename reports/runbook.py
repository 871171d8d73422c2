"""runbook.md: the guide's recovery, in its order, for the very set that was drilled, with the times it took."""

from reports import markdown
from reports.recovery import settings, steps
from reports.rehearsed import command, rehearsed
from reports.story import Story


def write_up(story: Story) -> str:
    """Its first line says not to promote the set, unless the drill verified it."""
    return (
        markdown.templates()
        .get_template("runbook.md.j2")
        .render(
            story=story,
            evidence=story.evidence,
            record=story.evidence.record,
            steps=steps(story),
            settings=settings(story),
            rehearsed=rehearsed(story),
            command=command(story) if story.evidence.rehearsal is not None and story.evidence.record.backup_set else "",
        )
    )
