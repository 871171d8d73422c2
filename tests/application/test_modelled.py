"""The migrated schema is held against the models: what a database has of each kind of field is no difference, and each thing
that is missing, or is otherwise, is told by table and column."""

from pathlib import Path
from typing import LiteralString

import pytest

from fixtures.application.migrate import migrate
from fixtures.application.modelled import compare_models
from fixtures.record.modelled import Modelled
from tests.support.application_under_test import Bench, copy_of_the_sample, new_migration
from tests.support.further import first_of

# Each kind of field, key and constraint that Django makes on Postgres.
FIELDS = """
    migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; "
                      "CREATE EXTENSION IF NOT EXISTS btree_gist; CREATE DOMAIN code AS varchar(7) NOT NULL"),
    migrations.CreateModel("Thing", fields=[
        ("id", models.AutoField(primary_key=True)),
        ("slug", models.SlugField(unique=True)),
        ("amount", models.DecimalField(max_digits=12, decimal_places=4, null=True)),
        ("count", models.PositiveSmallIntegerField(default=0)),
        ("ratio", models.FloatField()),
        ("document", models.JSONField(default=dict)),
        ("blob", models.BinaryField(null=True)),
        ("lasted", models.DurationField(null=True)),
        ("address", models.GenericIPAddressField(null=True)),
        ("key", models.UUIDField(null=True)),
        ("day", models.DateField(null=True)),
        ("time", models.TimeField(null=True)),
        ("words", postgres.ArrayField(models.CharField(max_length=9), size=3, default=list)),
        ("pairs", postgres.HStoreField(null=True)),
        ("during", postgres.DateRangeField(null=True)),
        ("search", search.SearchVectorField(null=True)),
        ("code", Code()),
        ("name", Insensitive(null=True)),
        ("unbounded", models.CharField()),
        ("double", models.GeneratedField(expression=models.F("count") * 2, output_field=models.IntegerField(),
                                         db_persist=True)),
        ("made", models.DateTimeField(db_default=functions.Now())),
        ("parent", models.ForeignKey("self", models.CASCADE, null=True)),
        ("loose", models.ForeignKey("igny8.Site", models.DO_NOTHING, db_constraint=False, null=True)),
        ("account", models.OneToOneField("igny8.Site", models.CASCADE, null=True, related_name="+")),
    ], options={
        "db_table": "planted_thing",
        "unique_together": {("day", "time")},
        "constraints": [
            models.CheckConstraint(condition=models.Q(count__gte=0), name="thing_counts"),
            models.UniqueConstraint(fields=["key", "ratio"], name="thing_key"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(count=1), name="thing_name"),
            models.UniqueConstraint(functions.Lower("slug"), name="thing_slug"),
            constraints.ExclusionConstraint(name="thing_during", expressions=[("during", "&&")]),
        ],
        "indexes": [
            models.Index(fields=["-count", "ratio"], name="thing_rate"),
            models.Index(fields=["lasted"], name="thing_lasted"),
            models.Index(functions.Lower("unbounded"), name="thing_lower"),
            models.Index(fields=["made"], condition=models.Q(count=1), name="thing_some"),
            indexes.GinIndex(fields=["document"], name="thing_gin"),
        ],
    }),
    migrations.CreateModel("Special", fields=[
        ("thing_ptr", models.OneToOneField("igny8.Thing", models.CASCADE, parent_link=True, primary_key=True)),
        ("others", models.ManyToManyField("igny8.Thing", related_name="+")),
    ], options={"db_table": "planted_special"}, bases=("igny8.thing",)),
    migrations.CreateModel("Elsewhere", fields=[("id", models.AutoField(primary_key=True))],
                           options={"db_table": "planted_elsewhere", "managed": False}),
    migrations.CreateModel("Shown", fields=[], options={"proxy": True}, bases=("igny8.thing",)),
    migrations.RunSQL('CREATE SCHEMA ledger; CREATE SCHEMA attic; CREATE TABLE planted_entry (id int)'),
    migrations.CreateModel("Book", fields=[("id", models.BigAutoField(primary_key=True))],
                           options={"db_table": 'ledger"."planted_book'}),
    migrations.CreateModel("Entry", fields=[
        ("id", models.BigAutoField(primary_key=True)), ("amount", models.IntegerField(null=True)),
        ("book", models.ForeignKey("igny8.Book", models.CASCADE, db_index=False)),
    ], options={"db_table": 'ledger"."planted_entry'}),
    migrations.CreateModel("Twin", fields=[("id", models.BigAutoField(primary_key=True))],
                           options={"db_table": 'ledger"."planted_twin'}),
    migrations.CreateModel("Moved", fields=[("id", models.BigAutoField(primary_key=True))],
                           options={"db_table": "planted_moved"}),
    migrations.CreateModel("Paired", fields=[
        ("pk", models.CompositePrimaryKey("site", "number", blank=True, editable=False, primary_key=True, serialize=False)),
        ("site", models.ForeignKey("igny8.Site", models.CASCADE, related_name="+")), ("number", models.IntegerField()),
    ], options={"db_table": "planted_paired"}),
    migrations.RunSQL("CREATE TABLE planted_twin (LIKE ledger.planted_twin INCLUDING ALL)"),
    migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL("CREATE VIEW planted_view AS SELECT 1::bigint AS id, 'a'::text AS word")],
        state_operations=[migrations.CreateModel("View", fields=[
            ("id", models.BigAutoField(primary_key=True)), ("word", models.TextField(unique=True)),
        ], options={"db_table": "planted_view"})]),
    migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL(
            "CREATE TABLE planted_parts (id bigint GENERATED BY DEFAULT AS IDENTITY, day date, PRIMARY KEY (id, day)) "
            "PARTITION BY RANGE (day); ALTER TABLE planted_parts ALTER day SET NOT NULL")],
        state_operations=[migrations.CreateModel("Part", fields=[
            ("id", models.BigAutoField(primary_key=True)), ("day", models.DateField()),
        ], options={"db_table": "planted_parts"})]),
"""
BEFORE = """
from django.contrib.postgres import constraints, indexes, search
from django.contrib.postgres import fields as postgres
from django.db import migrations, models
from django.db.models import functions


class Code(models.Field):
    def db_type(self, connection):
        return "code"


class Insensitive(models.TextField):
    def db_type(self, connection):
        return "citext"


class Migration(migrations.Migration):
    dependencies = [("igny8", "0009_content_title_index")]
    operations = [
"""
# An index under another name, on more columns, serves as well; one besides does no harm.
BY_HAND = """
    migrations.RunSQL("DROP INDEX thing_lasted; CREATE INDEX by_hand ON planted_thing (lasted, address); "
                      "CREATE INDEX besides ON planted_thing (double)"),
"""
FAULTS = {
    "ALTER TABLE planted_thing DROP COLUMN blob": "public.planted_thing.blob is missing",
    "ALTER TABLE planted_thing ALTER slug TYPE varchar(51)": (
        "public.planted_thing.slug is character varying(51), and its field character varying(50)"
    ),
    "ALTER TABLE planted_thing ALTER pairs TYPE jsonb USING NULL": (
        "public.planted_thing.pairs is jsonb, and its field public.hstore"
    ),
    "ALTER TABLE planted_thing ALTER ratio DROP NOT NULL": (
        "public.planted_thing.ratio takes NULL, and its field takes none"
    ),
    "ALTER TABLE planted_thing ALTER amount SET NOT NULL": (
        "public.planted_thing.amount takes no NULL, and its field does"
    ),
    "ALTER TABLE planted_thing ALTER double DROP EXPRESSION": (
        "public.planted_thing.double is not generated, and its field is"
    ),
    "ALTER TABLE planted_thing ALTER made DROP DEFAULT": (
        "public.planted_thing.made has no default, and its field counts on one"
    ),
    "ALTER TABLE planted_thing ALTER id DROP IDENTITY": (
        "public.planted_thing.id has no default, and its field counts on one"
    ),
    "ALTER TABLE planted_thing ADD extra int NOT NULL": (
        "public.planted_thing.extra takes no NULL and has no default, and no field fills it"
    ),
    "DO $$ DECLARE k text; BEGIN SELECT conname INTO k FROM pg_constraint WHERE contype = 'f' AND conrelid = "
    "'planted_thing'::regclass AND confrelid = 'planted_thing'::regclass; "
    "EXECUTE format('ALTER TABLE planted_thing DROP CONSTRAINT %I', k); END $$": (
        "public.planted_thing.parent_id has no foreign key to planted_thing"
    ),
    "ALTER TABLE planted_thing DROP CONSTRAINT thing_counts": "public.planted_thing has no constraint thing_counts",
    "ALTER TABLE planted_thing DROP CONSTRAINT thing_during": "public.planted_thing has no constraint thing_during",
    "ALTER TABLE planted_thing DROP CONSTRAINT thing_key": "public.planted_thing is not unique by key, ratio",
    "DROP INDEX thing_slug": "public.planted_thing has no constraint thing_slug",
    "DROP INDEX thing_name": "public.planted_thing has no constraint thing_name",
    "DROP INDEX thing_rate; CREATE INDEX thing_rate ON planted_thing (ratio)": (
        "public.planted_thing has no index thing_rate"
    ),
    "DROP INDEX thing_lower": "public.planted_thing has no index thing_lower",
    "DROP INDEX thing_some": "public.planted_thing has no index thing_some",
    "DROP INDEX thing_gin; CREATE INDEX planted_btree ON planted_thing USING hash (document)": (
        "public.planted_thing has no index thing_gin"
    ),
    "DO $$ DECLARE k text; BEGIN SELECT indexrelid::regclass INTO k FROM pg_index WHERE indrelid = "
    "'planted_thing'::regclass AND indkey[0] = (SELECT attnum FROM pg_attribute WHERE attname = 'loose_id' AND attrelid = "
    "'planted_thing'::regclass); EXECUTE format('DROP INDEX %s', k); END $$": (
        "public.planted_thing has no index on loose_id"
    ),
    "ALTER TABLE planted_thing DROP CONSTRAINT planted_thing_account_id_key": (
        "public.planted_thing is not unique by account_id"
    ),
    "ALTER TABLE ledger.planted_entry DROP COLUMN amount": "ledger.planted_entry.amount is missing",
    "DO $$ DECLARE k text; BEGIN SELECT conname INTO k FROM pg_constraint WHERE contype = 'f' AND conrelid = "
    "'ledger.planted_entry'::regclass; EXECUTE format('ALTER TABLE ledger.planted_entry DROP CONSTRAINT %I', k); END $$": (
        "ledger.planted_entry.book_id has no foreign key to planted_book"
    ),
    "ALTER TABLE planted_paired DROP CONSTRAINT planted_paired_pkey": (
        "public.planted_paired is not unique by site_id, number"
    ),
    # Another table of its name is not the model's.
    "DROP TABLE ledger.planted_twin": (
        "table ledger.planted_twin is missing where the application looks (there is public.planted_twin)"
    ),
    "ALTER TABLE planted_moved SET SCHEMA attic": (
        "table planted_moved is missing where the application looks (there is attic.planted_moved)"
    ),
    "DROP TABLE planted_special_others": "table planted_special_others is missing",
}


def modelled(place: Bench, tmp_path: Path, spoiled: str = "") -> Modelled:
    """What migrating the sample shows, with a migration more, and another that spoils what that made."""
    checkout = copy_of_the_sample(tmp_path)
    file = checkout / "igny8_core" / "igny8" / "migrations" / "0010_planted.py"
    file.write_text(f"{BEFORE}{FIELDS}    ]\n")
    new_migration(checkout, "0011_spoiled", BY_HAND + spoiled, after="0010_planted")
    return migrated(place, checkout)


def migrated(place: Bench, checkout: Path, setting: LiteralString = "SELECT 1") -> Modelled:
    with place.restored() as restored:
        restored.execute(setting)
        restored.close()
        done = migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60)
        with place.server.reading("migrated") as connection:
            return compare_models(done.models, connection, several_schemas=False)


@pytest.mark.further
def test_no_kind_of_field_or_key_that_a_migration_makes_is_a_difference(place: Bench, tmp_path: Path) -> None:
    comparison = modelled(place, tmp_path)
    assert (comparison.differences, comparison.error, comparison.unmanaged) == ((), "", 1)
    assert comparison.tables > 30
    assert comparison.columns > 200
    assert comparison.keys > 100


@pytest.mark.further
def test_a_database_that_quotes_every_name_has_the_same_types(place: Bench, tmp_path: Path) -> None:
    quoting = "ALTER DATABASE restored SET quote_all_identifiers = on"
    comparison = migrated(place, copy_of_the_sample(tmp_path), quoting)
    assert (comparison.differences, comparison.error) == ((), "")


def test_each_difference_is_told_by_its_table_and_column(place: Bench, tmp_path: Path) -> None:
    comparison = modelled(place, tmp_path, ", ".join(f"migrations.RunSQL({statement!r})" for statement in FAULTS))
    assert comparison.differences == tuple(sorted(FAULTS.values()))


@pytest.mark.parametrize(
    ("operation", "differences"),
    first_of(
        [
            (
                'migrations.AddField("site", "motto", models.CharField(max_length=50, default=""))',
                ("public.igny8_sites.motto is missing",),
            ),
            ('migrations.RenameField("site", "name", "title")', ("public.igny8_sites.title is missing",)),
            ('migrations.AlterModelTable("site", "planted_sites")', ("table planted_sites is missing",)),
            (
                'migrations.AlterField("site", "name", models.TextField(null=True))',
                ("public.igny8_sites.name takes no NULL, and its field does",),
            ),
        ]
    ),
)
@pytest.mark.further
def test_a_migration_that_changes_the_state_alone_is_noticed(
    place: Bench, tmp_path: Path, operation: str, differences: tuple[str, ...]
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_planted", f"migrations.SeparateDatabaseAndState(state_operations=[{operation}])")
    assert set(differences) <= set(migrated(place, checkout).differences)


@pytest.mark.further
def test_a_column_of_the_code_that_no_migration_makes_is_told_apart(place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    file = checkout / "igny8_core" / "igny8" / "models" / "trail.py"
    body = "    body = models.TextField()\n"
    text = file.read_text()
    assert body in text
    file.write_text(text.replace(body, f"{body}    pinned = models.BooleanField(default=False)\n"))
    comparison = migrated(place, checkout)
    assert (comparison.differences, comparison.of_the_code) == ((), ("public.igny8_notes.pinned is missing",))
