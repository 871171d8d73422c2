"""APP: the application stands up on what came back, and does nothing to the outside."""

from fixtures.checks.blocked import Blocked, NothingThere
from fixtures.checks.examination import Examination
from fixtures.checks.release.spoilers import (
    a_file_written_into_the_checkout,
    a_health_view_that_fails,
    an_application_that_does_not_start,
    an_attempt_to_reach_outside,
    checks_that_fail,
    no_static_file,
)
from fixtures.checks.stage_answer import came_to_its_end
from fixtures.plugin.declare import control, proven_by
from fixtures.record import stages
from fixtures.record.application_run import ApplicationRun
from fixtures.record.record import DrillRecord


@control(
    "APP-01",
    title="The application's commands run on the migrated copy",
    impact="critical",
    remediation="Read the cause. Run the same command in the application's own environment.",
)
@proven_by(an_application_that_does_not_start)
def test_the_commands_run(record: DrillRecord, examination: Examination) -> None:
    """A database that its application cannot be started on is not recovered."""
    came_to_its_end(record, stages.APPLICATION, examination)


@control(
    "APP-02",
    title="manage.py check passes",
    impact="high",
    remediation="Run manage.py check in the application's checkout and fix what it names.",
)
@proven_by(checks_that_fail)
def test_check_passes(application_run: ApplicationRun, examination: Examination) -> None:
    """Django's own checks are the first thing that a deployment would trip over."""
    problems = ", ".join(application_run.check_problems) or "no message id"
    message = f"manage.py check exited {application_run.check_exit}: {problems}"
    examination.expect(application_run.check_exit == 0, message, unit="runs of check")


@control(
    "APP-03",
    title="The static files can be made again",
    impact="medium",
    remediation="Run collectstatic in the checkout. A file that it needs was built elsewhere and is not in the release.",
)
@proven_by(no_static_file)
def test_the_static_files_can_be_made_again(application_run: ApplicationRun, examination: Examination) -> None:
    """Static files are not backed up because collectstatic makes them again: so it has to."""
    examination.saw(application_run.static_files, "files")
    examination.expect(not application_run.static_error, f"collectstatic failed: {application_run.static_error}")
    examination.expect(application_run.static_files > 0, "collectstatic made no file")
    examination.expect(application_run.static_repeatable, "collectstatic made other files the second time")


@control(
    "APP-04",
    title="The application answers with an empty broker",
    impact="high",
    remediation="Ask the health view with the profile's settings, and fix what its answer names. Queues and caches are in no "
    "backup: after a recovery they are empty.",
)
@proven_by(a_health_view_that_fails)
def test_the_application_answers_with_an_empty_broker(
    application_run: ApplicationRun, examination: Examination
) -> None:
    """After a recovery the broker holds nothing: an application that needs yesterday's queue does not come up."""
    if application_run.health_status is None and not application_run.health_error:
        raise NothingThere("the profile names no application.health; say why in [exempt] if there is none")
    message = f"the health view answered {application_run.health_status or application_run.health_error}"
    examination.expect(application_run.health_status == 200, message, unit="requests")


@control(
    "APP-05",
    title="Nothing was sent outside",
    impact="critical",
    remediation="Find the code that sends while it migrates or starts. A restored copy must never mail or call real people.",
)
@proven_by(an_attempt_to_reach_outside)
def test_nothing_was_sent_outside(application_run: ApplicationRun, examination: Examination) -> None:
    """A restored copy knows every customer's address; one forgotten task in it writes to all of them."""
    if application_run.isolation.startswith("none"):
        raise Blocked("the application could not be cut off from the network here, so it may have sent something")
    outside = [
        *application_run.connections_tried,
        *(f"mail {number}" for number in range(1, application_run.mails + 1)),
    ]
    of, unit = (len(outside), "attempts") if outside else (1, "runs")
    examination.expect_none(outside, "would have reached another host", of=of, unit=unit)


@control(
    "APP-06",
    title="Nothing was written into the application's checkout",
    impact="medium",
    remediation="Find what writes beside the code. A local database or cache there means that settings were not read. What "
    "another program writes there while the drill runs counts too: give the drill a checkout of its own.",
)
@proven_by(a_file_written_into_the_checkout)
def test_nothing_was_written_into_the_checkout(application_run: ApplicationRun, examination: Examination) -> None:
    """An application that keeps its state beside its code keeps some of it where no backup looks."""
    written = application_run.written
    of, unit = (len(written), "files") if written else (1, "checkouts")
    examination.expect_none(written, "changed during the drill", of=of, unit=unit)
