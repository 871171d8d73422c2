"""Where each tenant has a schema, the models of tenants are held against each of them, and the shared ones against theirs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.application.clones import marked_clone
from fixtures.application.migrate import migrate
from fixtures.application.modelled import compare_models
from fixtures.record.modelled import Modelled
from fixtures.release.stand_up import stand_up
from tests.support.clinics_database import Clinics, clinics

FAULTS = {
    "ALTER TABLE south.diary_visit DROP COLUMN note": "south.diary_visit.note is missing",
    "ALTER TABLE west.diary_visit ALTER note DROP NOT NULL": "west.diary_visit.note takes NULL, and its field takes none",
    # What all of them lack, as after a migration that was faked.
    "ALTER TABLE north.diary_visit DROP CONSTRAINT visit_number; ALTER TABLE south.diary_visit DROP CONSTRAINT "
    "visit_number; ALTER TABLE west.diary_visit DROP CONSTRAINT visit_number": (
        "north.diary_visit is not unique by doctor_id, number",
        "south.diary_visit is not unique by doctor_id, number",
        "west.diary_visit is not unique by doctor_id, number",
    ),
    "DROP INDEX north.visit_doctor_day; DROP INDEX south.visit_doctor_day; DROP INDEX west.visit_doctor_day": (
        "north.diary_visit has no index visit_doctor_day",
        "south.diary_visit has no index visit_doctor_day",
        "west.diary_visit has no index visit_doctor_day",
    ),
    # Another table of its name stands where all find it.
    "DROP TABLE north.auth_user_groups": "table north.auth_user_groups is missing where the application looks",
    "ALTER TABLE west.diary_doctor DROP CONSTRAINT diary_doctor_country_id_9af9cf64_fk_customers_country_id": (
        "west.diary_doctor.country_id has no foreign key to customers_country"
    ),
    # Their own keep a table's name alive that all share.
    "DROP TABLE public.auth_user_user_permissions": (
        "table auth_user_user_permissions is missing where the application looks"
    ),
    "ALTER TABLE public.customers_country DROP COLUMN code": "public.customers_country.code is missing",
}


@pytest.fixture(scope="module")
def place() -> Iterator[Clinics]:
    with clinics() as filled:
        yield filled


def modelled(place: Clinics, folder: Path, planted: str = "") -> Modelled:
    with place.restored(planted):
        done = migrate(place.server, place.interpreter(folder / "private"), 60)
        with place.server.reading("migrated") as connection:
            return compare_models(done.models, connection, several_schemas=True)


@pytest.mark.further
def test_schemas_that_are_as_the_models_have_them_are_no_difference(place: Clinics, tmp_path: Path) -> None:
    comparison = modelled(place, tmp_path)
    assert (comparison.error, comparison.differences, comparison.of_the_code) == ("", (), ())
    # Nine tables in each of three schemas, and ten shared.
    assert comparison.tables > 30


@pytest.mark.further
def test_each_difference_is_told_with_its_schema(place: Clinics, tmp_path: Path) -> None:
    told = modelled(place, tmp_path, ";".join(FAULTS)).differences
    expected = [each for value in FAULTS.values() for each in ((value,) if isinstance(value, str) else value)]
    assert [each.partition(" (there is")[0] for each in told] == sorted(expected)


def test_a_model_that_tenants_alone_have_comes_through_the_orm_in_their_schemas(place: Clinics, tmp_path: Path) -> None:
    with place.restored(
        "ALTER TABLE south.diary_doctor DROP COLUMN name; DELETE FROM north.diary_visit; DELETE FROM north.diary_doctor"
    ):
        token = marked_clone(place.server, "migrated")
        models = {
            each.model: each for each in stand_up(place.interpreter(tmp_path / "private"), token, (), 60, 60).models
        }
    assert {name: each.broken for name, each in models.items() if each.error} == {"diary.Doctor": "name"}
    assert models["diary.Visit"].row
    assert models["customers.Country"].row
