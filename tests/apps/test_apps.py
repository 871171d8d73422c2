"""The suite on applications that nobody here wrote: a profile each, no code of theirs changed and none of ours added."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.apps.foreign import Foreign, filled


@dataclass(frozen=True)
class Fault:
    """SQL for a clone of the healthy database, and the rows that each control must find broken, by subject."""

    sql: str
    broken: Mapping[str, Mapping[str, int]]
    lost: str = ""


FAULTS = {
    # A network within another organisation's, though no column is empty and no constraint broken; and an organisation
    # whose owner is a member of another one.
    "openwisp": Fault(
        """
        UPDATE openwisp_ipam_subnet SET organization_id = (
            SELECT id FROM openwisp_users_organization WHERE slug = 'organisation-2'
        ) WHERE subnet = '192.168.1.128/25';
        UPDATE openwisp_users_organizationowner SET organization_user_id = (
            SELECT m.id FROM openwisp_users_organizationuser m
            JOIN openwisp_users_user u ON u.id = m.user_id JOIN openwisp_users_organization o ON o.id = m.organization_id
            WHERE u.username = 'consultant' AND o.slug = 'organisation-3'
        ) WHERE organization_id = (SELECT id FROM openwisp_users_organization WHERE slug = 'organisation-4');
        """,
        {
            "TEN-02": {
                "public.openwisp_ipam_subnet(master_subnet_id)->public.openwisp_ipam_subnet": 1,
                "public.openwisp_users_organizationowner(organization_user_id)"
                "->public.openwisp_users_organizationuser": 1,
            }
        },
    ),
}


@pytest.fixture(scope="module", params=sorted(FAULTS))
def foreign(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with filled(request.param, tmp_path_factory.mktemp(request.param)) as application:
        yield application


def test_a_healthy_application_is_verified(foreign: Foreign, tmp_path_factory: pytest.TempPathFactory) -> None:
    outcome = foreign.drill(tmp_path_factory.mktemp("healthy"))
    assert (outcome.red, outcome.blocked) == ({}, {}), outcome.output
    assert outcome.evidence.verdict == "VERIFIED", outcome.output
    assert outcome.exit_code == 0
    moved = outcome.evidence.record.migrated
    assert moved is not None
    assert moved.applied, "the newer release has no migration: drill it from an older one"
    looked_at = {result.control for result in outcome.evidence.results if result.examined}
    assert looked_at.issuperset(FAULTS[foreign.name].broken)


def test_a_planted_fault_is_told_by_its_own_control_alone(
    foreign: Foreign, tmp_path_factory: pytest.TempPathFactory
) -> None:
    fault = FAULTS[foreign.name]
    outcome = foreign.drill(tmp_path_factory.mktemp("planted"), fault.sql, fault.lost)
    red: dict[str, dict[str, int]] = {}
    for result in outcome.evidence.results:
        if result.outcome == "failed":
            red.setdefault(result.control, {})[result.subject] = result.broken
    assert red == fault.broken, outcome.output
    assert outcome.blocked == {}, outcome.output
    assert outcome.exit_code == 1
