"""The drill's summary on a terminal: what a person has to know and do, without colour too."""

from pathlib import Path

from rich.console import Console
from rich.text import Text

from fixtures.record.evidence import Evidence, Result
from reports import costs, words
from reports.chapter import Chapter
from reports.faults import Fault
from reports.story import Cause, Story

SUBJECTS = 3
SAMPLES = 5
MESSAGE = 300
CONTROLS = 25

_STYLES = {
    "VERIFIED": "bold green",
    "FAILED": "bold red",
    "INCONCLUSIVE": "bold yellow",
    "ok": "green",
    "failed": "red",
    "blocked": "yellow",
    "waived": "magenta",
    "exempt": "cyan",
    "passed": "green",
}


def show(evidence: Evidence, directory: Path, console: Console, *, pdf_follows: bool = False) -> None:
    """Print the summary; the verdict is its first line. Nothing in it is read as markup.

    `pdf_follows`: what is being set is not told as missing."""
    story = Story(evidence)
    _line(console, 0, (evidence.verdict, _STYLES[evidence.verdict]), f"  {evidence.headline}")
    if story.whose_fault:
        _line(console, 0, story.whose_fault)
    _identity(story, console)
    _stages(story, console)
    for problem in story.profile_problems:
        _line(console, 1, ("profile ", "yellow"), problem)
    for fault in story.faults[:CONTROLS]:
        _fault(fault, story, console)
    _and_more(len(story.faults), "fault", console)
    for cause in story.causes[:CONTROLS]:
        _blocked(cause, console)
    _and_more(len(story.causes), "cause", console)
    for chapter in story.of("waived")[:CONTROLS]:
        _waived(chapter, console)
    _and_more(len(story.of("waived")), "waived control", console)
    _figures(story, console)
    _release(story, console)
    if evidence.not_shown:
        limits = words.many(len(evidence.not_shown), "limit")
        _line(console, 1, ("not shown  ", "dim"), f"{limits} of this drill: {directory / 'index.html'}#not-shown")
    _line(console, 1, ("teardown   ", "dim"), _teardown(story))
    if evidence.signed_by:
        _line(console, 1, ("signed     ", "dim"), f"by key {evidence.signed_by[:12]}")
    if pdf_follows:
        _line(console, 1, ("pdf        ", "dim"), "comes last; this command ends once it is there")
    for note in () if pdf_follows else sorted(directory.glob(f"*{words.NOT_MADE}")):
        _line(console, 1, ("no pdf     ", "yellow"), note.read_text(encoding="utf-8").strip())
    _line(console, 1, ("report     ", "dim"), str(directory / "index.html"))
    if sample := evidence.record.sample_data:
        _line(console, 1, (f"{sample} ", "bold"), "the sample's, made up: this says nothing of a backup of yours")


def _identity(story: Story, console: Console) -> None:
    backup_set = story.evidence.record.backup_set
    if backup_set is not None:
        _line(console, 1, ("backup set ", "dim"), f"{backup_set.name}, taken {words.moment(backup_set.taken_at)}")
        if backup_set.delivery is not None:
            delivery = f"{words.delivered(backup_set.delivery)}, from {backup_set.location}"
            _line(console, 1, ("fetched    ", "dim"), delivery)
    if story.drilled_before:
        _line(console, 1, ("before     ", "dim"), f"drilled before: {story.drilled_before}")


def _stages(story: Story, console: Console) -> None:
    lines = [
        f"{stage.name} {words.duration(stage.seconds)}" + ("" if stage.state == "ok" else f" {stage.state.upper()}")
        for stage in story.run_stages
    ]
    lines += [f"{name} never reached" for name in story.never_reached]
    _line(console, 1, ("stages     ", "dim"), " · ".join(lines))
    if (rehearsal := story.not_rehearsed) is not None:
        how = "failed" if rehearsal.state == "failed" else "could not be rehearsed"
        said = words.cause_and_fix(rehearsal.cause, rehearsal.fix)
        _line(console, 0)
        _line(console, 0, ("recovery ", _STYLES[rehearsal.state]), f"{how}: {said}")
    for stage in story.stopped_stages:
        _line(console, 0)
        _line(console, 0, (f"{stage.state} ", _STYLES[stage.state]), f"stage {stage.name}: {stage.cause}")
        if stage.fix:
            _line(console, 2, ("to do: ", "bold"), stage.fix)


def _fault(fault: Fault, story: Story, console: Console) -> None:
    """What is wrong, then each control that found it."""
    _line(console, 0)
    heading = words.one_line(fault.title, MESSAGE)
    age = f", {since}" if (since := story.since.age(fault.results)) else ""
    ids = f": {fault.ids}" if len(fault.chapters) > 1 else ""
    _line(console, 0, ("failed ", _STYLES["failed"]), (f"{heading}{ids}", "bold"), f" ({fault.impact} impact{age})")
    for chapter in fault.chapters:
        if len(fault.chapters) > 1:
            _line(console, 2, (chapter.id, "bold"), f" {words.one_line(fault.beyond_title(chapter), MESSAGE)}")
        _control(chapter, console, 4 if len(fault.chapters) > 1 else 2, whole=len(fault.chapters) == 1)


def _control(chapter: Chapter, console: Console, indent: int, *, whole: bool) -> None:
    """The control's title and remedy; its subjects too where it is told whole."""
    title = f"{chapter.title} ({chapter.impact} impact)"
    _line(console, indent, (f"{chapter.id} {title}" if whole else title, "dim"))
    for result in chapter.results[: SUBJECTS if whole else 1]:
        if whole:
            _line(console, indent, f"{result.subject}: {words.looked_at(result)}")
        # The first one's message stands above.
        if result.message and result is not chapter.results[0]:
            _line(console, indent + 2, words.one_line(result.message, MESSAGE))
        _extras(result, console)
    if whole and len(chapter.results) > SUBJECTS:
        _line(console, indent, f"and {words.many(len(chapter.results) - SUBJECTS, 'more subject')}, in the report")
    if chapter.remediation:
        _line(console, indent, ("to do: ", "bold"), chapter.remediation)


def _waived(chapter: Chapter, console: Console) -> None:
    _line(console, 0)
    heading = f"{chapter.id} {chapter.title} ({chapter.impact} impact)"
    _line(console, 0, ("waived ", _STYLES["waived"]), (heading, "bold"))
    for result in chapter.results[:SUBJECTS]:
        _line(console, 2, f"{result.subject}: {words.looked_at(result)}")
        if result.message:
            _line(console, 4, words.one_line(result.message, MESSAGE))
        _extras(result, console)
    if len(chapter.results) > SUBJECTS:
        _line(console, 2, f"and {words.many(len(chapter.results) - SUBJECTS, 'more subject')}, in the report")


def _extras(result: Result, console: Console) -> None:
    if result.samples:
        shown = words.few(result.samples, SAMPLES)
        _line(console, 4, f"{words.samples_label(result)}: {shown} (finding {result.finding or 'without an id'})")
    if result.waiver:
        accepted = result.waiver
        _line(console, 4, f"accepted by {accepted.approved_by} until {accepted.until}: {accepted.reason}")
        _line(console, 4, f"fixed by {accepted.owner}, ticket {accepted.ticket}")


def _blocked(cause: Cause, console: Console) -> None:
    _line(console, 0)
    _line(console, 0, ("blocked ", _STYLES["blocked"]), f"{words.many(cause.checks, 'check')} could not be tried:")
    _line(console, 2, cause.message)
    _line(console, 2, words.few([_on(chapter) for chapter in cause.chapters], 12))


def _on(chapter: Chapter) -> str:
    count = len(chapter.results)
    return f"{chapter.id} on {chapter.results[0].subject}" if count == 1 else f"{chapter.id} on {count} subjects"


def _figures(story: Story, console: Console) -> None:
    _line(console, 0)
    counted = [f"{words.number(count)} {outcome}" for outcome, count in story.counts.items() if count]
    if story.since.said:
        _line(console, 1, ("findings   ", "dim"), story.since.said)
    for line in story.running_out[:CONTROLS]:
        _line(console, 1, ("waiver     ", _STYLES["waived"]), line)
    if story.on_nothing:
        counted.append(f"{words.many(story.on_nothing, 'pass', 'passes')} had nothing to examine")
    if story.on_some_tenants:
        counted.append(story.on_some_tenants)
    _line(console, 1, ("checks     ", "dim"), ", ".join(counted) or "none")
    planned = story.evidence.completeness
    figures = f"{planned.planned} planned, {planned.collected} collected, {planned.reported} reported"
    _line(console, 1, ("complete   ", "dim"), figures if story.whole else f"INCOMPLETE: {figures}")
    if (budget := story.evidence.checks_budget) is not None:
        _line(console, 1, ("time       ", "dim"), budget.in_words)
    if (proving := story.evidence.proving) is not None:
        _line(console, 1, ("proof      ", "dim"), proving.recent)
        for proof in proving.blind[:CONTROLS]:
            _line(
                console,
                2,
                ("blind ", "yellow"),
                f"{proof.control} [{proof.subject}] {words.one_line(proof.says, MESSAGE)}",
            )
        _and_more(len(proving.blind), "blind check", console)
        for proof in proving.stayed:
            _line(console, 2, ("not taken back ", "red"), f"{proof.control} [{proof.subject}] {proof.stayed}")
    for measure in story.evidence.measures:
        line = f"{words.measured(measure)}, target {words.target(measure)}: {words.met(measure)}"
        _line(console, 1, (f"{measure.name:<11}", "dim"), line)


def _release(story: Story, console: Console) -> None:
    """What a gate found that its migrations cost; a drill has nothing to tell here."""
    record = story.evidence.record
    migrations = costs.costs(record)
    for cost in migrations[:CONTROLS]:
        line = f"{cost.name} {cost.took}, {cost.wal} of WAL, {cost.lock}"
        _line(console, 1, ("migration  ", "dim"), line + (f"; FAILED: {cost.failed}" if cost.failed else ""))
    if len(migrations) > CONTROLS:
        _line(console, 1, ("migration  ", "dim"), f"and {words.number(len(migrations) - CONTROLS)} more, in the report")
    if load := costs.load(record):
        _line(console, 1, ("under load ", "dim"), load)


def _teardown(story: Story) -> str:
    if story.not_seen_gone:
        return "NOT SEEN TO BE GONE: " + "; ".join(f"{thing.what} ({thing.how})" for thing in story.not_seen_gone)
    made = story.evidence.teardown
    return f"{words.many(len(made), 'thing')} made, all removed" if made else "the evidence names nothing"


def _and_more(count: int, noun: str, console: Console) -> None:
    if count > CONTROLS:
        _line(console, 0, f"and {words.many(count - CONTROLS, 'more ' + noun)}, in the report")


def _line(console: Console, indent: int, *parts: str | tuple[str, str]) -> None:
    safe = [words.plain(part) if isinstance(part, str) else (words.plain(part[0]), part[1]) for part in parts]
    for line in Text.assemble(*safe).wrap(console, max(console.width - indent, 20)):
        line.rstrip()
        console.print(Text(" " * indent) + line)
