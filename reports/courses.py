"""The lines of the trend: which figures are drawn over the nights, and in which words they are told."""

from collections.abc import Callable
from dataclasses import dataclass

from fixtures.record.past import Figures
from reports import words
from reports.plots import Line, line
from reports.trend import Night, StagePace, Trend


@dataclass(frozen=True)
class Course:
    """One figure over the nights; `standing` is where it stands now."""

    title: str
    standing: str
    line: Line


@dataclass(frozen=True)
class StageCourse:
    """One stage over the nights; `longest` in seconds, None where no drill that is listed reached it."""

    pace: StagePace
    longest: float | None
    line: Line


def courses(trend: Trend) -> tuple[Course, ...]:
    """RPO and RTO against their targets, then sizes and rows."""
    nights = trend.nights
    now = nights[-1].figures
    assert now is not None
    rpo_target, rto_target = now.rpo_target_hours, now.rto_target_minutes
    return (
        Course(
            "RPO",
            _now(now.rpo_hours, _hours) + (f"; target {_hours(rpo_target)}" if rpo_target else ""),
            line(nights, lambda each: each.rpo_hours, _in("h"), lambda each: each.rpo_target_hours),
        ),
        Course(
            "RTO",
            _now(now.rto_minutes, _minutes) + (f"; target {_minutes(rto_target)}" if rto_target else ""),
            line(nights, lambda each: each.rto_minutes, _in("min"), lambda each: each.rto_target_minutes),
        ),
        Course(
            "Size of the set",
            _now(now.set_bytes, _size),
            line(nights, lambda each: each.set_bytes, _size, octets=True),
        ),
        Course("Rows restored", _now(now.rows, _count), line(nights, lambda each: each.rows, _count)),
    )


def stage_courses(trend: Trend) -> tuple[StageCourse, ...]:
    """Every stage that a listed drill reached; a failed one counts as long as it lasted."""
    courses = []
    for pace in trend.paces:
        taken = _taken(pace.name)
        times = [each for night in trend.nights if night.figures is not None and (each := taken(night.figures))]
        courses.append(StageCourse(pace, max(times, default=None), line(trend.nights, taken, words.duration)))
    return tuple(courses)


def stage_times(night: Night) -> dict[str, float]:
    """Seconds by stage; empty where they are not known."""
    return {stage.name: stage.seconds for stage in night.figures.stages} if night.figures is not None else {}


def _taken(name: str) -> Callable[[Figures], float | None]:
    return lambda figures: next((stage.seconds for stage in figures.stages if stage.name == name), None)


def _now(value: float | None, spell: Callable[[float], str]) -> str:
    return f"{spell(value)} now" if value is not None else "not known now"


def _in(unit: str) -> Callable[[float], str]:
    return lambda value: words.quantity(value, unit) if value else "0"


def _hours(value: float) -> str:
    return words.duration(value * 3600)


def _minutes(value: float) -> str:
    return words.duration(value * 60)


def _size(value: float) -> str:
    return words.size(round(value))


def _count(value: float) -> str:
    return words.number(round(value))
