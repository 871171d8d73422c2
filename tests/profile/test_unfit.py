"""A problem of the profile is of one part, and blocks whoever reads that part."""

from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.fitting import fitting
from fixtures.profile import Profile
from fixtures.profile.reading import read_profile
from fixtures.profile.unfit import of_owners
from fixtures.record.project import PROFILES

PATH = "profile.toml"


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read_profile(Path(PROFILES / "igny8")).profile


def test_a_profile_without_a_problem_is_itself(profile: Profile) -> None:
    assert fitting(profile, (), PATH) is profile


def test_a_part_that_does_not_fit_is_told_to_whoever_reads_it(profile: Profile) -> None:
    problem = f"{PATH}: ledger 'credits'.balance_of.column: no column credit_balance in public.igny8_tenants"
    fit = fitting(
        profile, (problem, f"{PATH}: tenancy.probe.privileged: no column is_root in public.igny8_users"), PATH
    )
    assert (fit.invoice, fit.tenancy.login) == (profile.invoice, profile.tenancy.login)
    with pytest.raises(Blocked, match="no column credit_balance"):
        fit.ledger_named("credits")
    with pytest.raises(Blocked, match="no column is_root"):
        _ = fit.tenancy.probe


def test_a_problem_that_names_no_part_is_everybodys(profile: Profile) -> None:
    with pytest.raises(Blocked, match="another thing"):
        fitting(profile, ("another thing",), PATH)
    assert of_owners(("another thing",), PATH, profile.tenancy) == ("another thing",)


@pytest.mark.parametrize(
    ("part", "decides"), [("root", True), ("owner_via", True), ("login.members", False), ("soft_reference", False)]
)
def test_owners_rest_on_what_decides_them_alone(profile: Profile, part: str, decides: bool) -> None:
    problem = f"{PATH}: tenancy.{part}: it is not there"
    assert bool(of_owners((problem,), PATH, profile.tenancy)) == decides


def test_a_soft_reference_that_gives_an_owner_decides_it(profile: Profile) -> None:
    soft = profile.tenancy.soft_reference[0]
    via = profile.tenancy.model_copy(update={"owner_via": {soft.table: (soft.column,)}})
    problem = f"{PATH}: tenancy.soft_reference.column: it is not there"
    assert of_owners((problem,), PATH, via) == (problem,)
