"""What the tests that ask the sample's application share: its database, migrated by its own code."""

from collections.abc import Iterator

import pytest

from fixtures.application.migrate import migrate
from fixtures.database.catalogue import take_facts
from tests.support.application_under_test import Bench
from tests.support.drills import SAMPLE
from tests.support.visited_sample import Migrated

SEVERAL_COLUMNS = "ALTER TABLE {0} DROP CONSTRAINT {0}_pkey CASCADE, ADD PRIMARY KEY (tenant_id, id)"


@pytest.fixture(scope="module")
def migrated(place: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    folder = tmp_path_factory.mktemp("migrated")
    with place.restored() as connection:
        connection.close()
        migrate(place.server, place.interpreter(SAMPLE, folder / "private"), 120)
        with place.server.connect("migrated") as session:
            # As applications have them whose tables are dealt by tenant: the models know the id alone.
            for table in ("igny8_keywords", "igny8_invoices"):
                session.execute(SEVERAL_COLUMNS.format(table))  # type: ignore[call-overload]
            facts = take_facts(session)
        yield Migrated(place, facts)
