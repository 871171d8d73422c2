"""The sample's migrated database, whose application is asked as users of its tenants."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.application.visits import visit
from fixtures.ownership import derive_ownership
from fixtures.profile.reading import read_profile
from fixtures.profile.tenancy import Tenancy
from fixtures.record.facts import Facts
from fixtures.record.visited import AskedAddress, Visited
from tests.support.application_under_test import APPLICATION, Bench
from tests.support.drills import PROFILE

TENANCY = read_profile(PROFILE).profile.tenancy


@dataclass(frozen=True)
class Migrated:
    """The sample's database, migrated by its own code."""

    place: Bench
    facts: Facts

    def visited(
        self, checkout: Path, folder: Path, limit: float = 120, given: Mapping[str, str] = {}, **probe: Any
    ) -> Visited:
        """As the profile says it but for what is said of the `probe`; `given` are variables of the application's."""
        tenancy = TENANCY.model_dump(mode="json")
        application = APPLICATION.model_copy(update={"environment": {**APPLICATION.environment, **given}})
        tenancy["probe"] |= probe
        said = Tenancy.model_validate(tenancy)
        visits = visit(
            self.place.server,
            self.place.interpreter(checkout, folder, application),
            self.facts,
            derive_ownership(self.facts, said),
            said,
            limit,
        )
        assert visits is not None
        return visits

    def contents(self) -> list[Any]:
        """What the views below write to, and what logging in does."""
        digest = "SELECT md5(string_agg(r::text, ',' ORDER BY r::text)) FROM {} r"
        with self.place.server.connect("migrated") as connection:
            tables = ("igny8_tenants", "igny8_tags", "igny8_users", "django_session")
            return [connection.execute(digest.format(each)).fetchone() for each in tables]  # type: ignore[arg-type]


def by_pattern(visited: Visited) -> dict[str, AskedAddress]:
    assert visited.problem == ""
    return {each.pattern: each for each in visited.addresses}
