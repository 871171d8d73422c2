"""REL: the release stands up on last night's data as it would once deployed."""

from fixtures.checks.blocked import Blocked
from fixtures.checks.examination import Examination
from fixtures.checks.release.accepted import deploy_problems
from fixtures.checks.release.release_spoilers import (
    a_deployment_check_that_fails,
    a_model_whose_row_does_not_load,
    a_page_that_fails,
    a_release_that_calls_out,
)
from fixtures.checks.release.released import expect_pages, undeclared_reaches
from fixtures.plugin.declare import control, proven_by
from fixtures.profile import Profile
from fixtures.record.release.standing import Standing


@control(
    "REL-20",
    title="manage.py check --deploy reports nothing that the profile does not accept",
    impact="high",
    remediation="Fix the setting that the message names, or name its id in [release.deploy_checks] with the reason.",
)
@proven_by(a_deployment_check_that_fails)
def test_the_checks_of_a_deployment_pass(standing: Standing, promised: Profile, examination: Examination) -> None:
    """Debug left on, cookies without Secure, a key for development: what Django itself would not deploy with."""
    problems = deploy_problems(standing, promised.release, examination)
    examination.expect_none(problems, "must be fixed before a deployment", of=1, unit="runs of check")
    message = f"manage.py check --deploy exited {standing.deploy_exit}"
    examination.expect(standing.deploy_exit == 0, message)


@control(
    "REL-21",
    title="Every model's first row can be read through the ORM",
    impact="critical",
    remediation="Load that row in a shell of the release: a column is missing, or its field cannot decode a value.",
)
@proven_by(a_model_whose_row_does_not_load)
def test_every_models_first_row_loads(standing: Standing, examination: Examination) -> None:
    """JSON that is none, an encrypted field without its key, a column that another release made: a schema that migrated
    without an error may still hold rows that this code cannot read."""
    held = [each for each in standing.models if each.row or each.error]
    broken = [f"{each.model}{f'.{each.broken}' if each.broken else ''}: {each.error}" for each in held if each.error]
    decoded = sum(len(each.decoded) for each in standing.models)
    examination.note = (
        f"{decoded} fields that decode what they hold did so; {len(standing.models) - len(held)} have no row"
    )
    examination.expect_none(broken, "do not load", of=len(held), unit="models")


@control(
    "REL-22",
    title="The URL configuration loads, and the admin and the named addresses answer",
    impact="high",
    remediation="Run the release on a copy of the data and request the page that the finding names.",
)
@proven_by(a_page_that_fails)
def test_the_addresses_answer(standing: Standing, promised: Profile, examination: Examination) -> None:
    """The pages that staff work with are the first to meet a row or a template that a release no longer fits."""
    if standing.admin_sites and not standing.admin_user:
        raise Blocked("the admin could not be requested: the backup holds no active superuser")
    expect_pages(standing, promised.release, examination)


@control(
    "REL-23",
    title="The release tries to reach nothing outside while it starts",
    impact="critical",
    remediation="Find the named line or package. Code that runs at start or on an admin page must not call another host. "
    "Name an address that it may call in [release.reaches], with the reason.",
)
@proven_by(a_release_that_calls_out)
def test_nothing_reaches_outside(standing: Standing, promised: Profile, examination: Examination) -> None:
    """A release that calls home when it starts hangs where the network is shut, and tells real people where it is not."""
    if standing.isolation.startswith("none"):
        raise Blocked("the release could not be cut off from the network here, so it may have sent something")
    outside = undeclared_reaches(standing, promised.release, examination)
    outside += [f"mail {each + 1}" for each in range(standing.mails)]
    of, unit = (len(outside), "attempts") if outside else (1, "runs")
    examination.expect_none(outside, "would have reached another host", of=of, unit=unit)
