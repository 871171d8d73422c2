"""One release with several faults in it, which do not exclude each other: each has its own finding, and no other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sample.build import PROJECT
from tests.support.application_under_test import copy_of_the_sample, new_migration
from tests.support.spoiled_sets import replace_in

LAST = "0009_content_title_index"
APP = Path("igny8_core") / "igny8"
NICKNAME = 'nickname = models.CharField(max_length=9, default="")'
# What the profile lets a release cost: of what the sample's own migrations do, nothing comes near it.
THRESHOLDS = {
    "[release]\n": "[release]\nlock_rows = 1000\nlock_seconds = 2.5\nlock_wait_seconds = 5\nwal_bytes = 20_000_000\n",
    "stall_seconds = 120\n": "stall_seconds = 2.5\n",
}
REWRITE = "ALTER TABLE igny8_usage_days ALTER COLUMN credits TYPE numeric(14, 3) USING credits + 0; SELECT pg_sleep(3)"
BULK = "CREATE TABLE bulk AS SELECT md5(i::text) FROM generate_series(1, 500000) AS i; DROP TABLE bulk"
HALF_WAY = (
    "migrations.RunSQL('CREATE TABLE half (id int)', 'DROP TABLE half'), "
    "migrations.RunSQL('SELECT 1 / 0', migrations.RunSQL.noop)"
)
SQUASH = """from django.db import migrations


class Migration(migrations.Migration):
    replaces = [("notes", "0001_one"), ("notes", "0002_two")]
    dependencies = []
    operations = []
"""

REPLACED = '("notes", "0001_one"), ("notes", "0002_two")'


@dataclass(frozen=True)
class Planted:
    """A fault: `operations` of a migration of its own, chained after the one before, named after `name`; `source` is SQL
    for the database that is backed up, `in_code` spoils the checkout, `in_previous`
    that of the release before. `findings` are its controls and their subjects; in `samples`,
    {migration} stands for the migration's whole name."""

    name: str
    findings: Mapping[str, tuple[str, ...]]
    operations: str = ""
    source: str = ""
    in_code: Callable[[Path], None] | None = None
    in_previous: Callable[[Path], None] | None = None
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def half_a_squash(checkout: Path) -> None:
    """In an app of its own. One of the two that it replaces is applied in the dump; the other is not, and the release has
    it no more."""
    migrations = checkout / APP.parent / "notes" / "migrations"
    migrations.mkdir(parents=True)
    for package in (migrations.parent, migrations):
        (package / "__init__.py").touch()
    (migrations / "0001_squashed.py").write_text(SQUASH)
    (migrations / "0001_one.py").write_text(SQUASH.replace(REPLACED, ""))
    replace_in(
        checkout / APP.parent / "settings.py", {"INSTALLED_APPS = [\n": 'INSTALLED_APPS = [\n    "igny8_core.notes",\n'}
    )


def a_field_without_a_migration(checkout: Path) -> None:
    body = "    body = models.TextField()\n"
    replace_in(
        checkout / APP / "models" / "trail.py", {body: f"{body}    pinned = models.BooleanField(default=False)\n"}
    )


SEALED = """class Sealed(models.PositiveIntegerField):
    def from_db_value(self, value, expression, connection):
        raise LookupError

    def deconstruct(self):
        name, _, arguments, words = super().deconstruct()
        return name, "django.db.models.PositiveIntegerField", arguments, words


"""
ADMIN = """

class Calling(admin.ModelAdmin):
    def changelist_view(self, request, extra_context=None):
        __import__("socket").socket().connect_ex(("192.0.2.7", 443))
        return super().changelist_view(request, extra_context)


class Breaking(admin.ModelAdmin):
    list_display = ["shout"]

    def shout(self, row):
        raise LookupError


for name, of in (("Currency", Calling), ("Plan", Breaking)):
    admin.site.unregister(apps.get_model("igny8", name))
    admin.site.register(apps.get_model("igny8", name), of)
"""
CALLING_LINE = len((PROJECT / APP / "admin.py").read_text().splitlines()) + 5


def a_field_that_nothing_opens(checkout: Path) -> None:
    """To the migrations it is what it was before. Its model is in no admin."""
    billing = checkout / APP / "models" / "billing.py"
    replace_in(billing, {"class Subscription(": f"{SEALED}class Subscription("})
    replace_in(billing, {"operations = models.PositiveIntegerField()": "operations = Sealed()"})


def pages_that_call_out_and_that_break(checkout: Path) -> None:
    admin = checkout / APP / "admin.py"
    admin.write_text(admin.read_text() + ADMIN)


def cookies_in_clear(checkout: Path) -> None:
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text(settings.read_text() + "\nSESSION_COOKIE_SECURE = False\n")


def knows_no_locale(checkout: Path) -> None:
    """As the release before had it: without the field that this one makes."""
    replace_in(
        checkout / APP / "models" / "sites.py", {'    locale = models.CharField(max_length=12, default="en")\n': ""}
    )


def asks_for_a_nickname(checkout: Path) -> None:
    name = '        db_table = "igny8_tags"\n'
    replace_in(
        checkout / APP / "models" / "content.py",
        {f"    class Meta:\n{name}": f"    {NICKNAME}\n\n    class Meta:\n{name}"},
    )


def runs(statement: str) -> str:
    """An operation that says it can be undone, by doing nothing."""
    return f"migrations.RunSQL({statement!r}, '')"


RELEASE = (
    Planted(
        "half a squash",
        {"REL-01": ("whole",)},
        source="INSERT INTO django_migrations (app, name, applied) VALUES ('notes', '0001_one', now())",
        in_code=half_a_squash,
        samples={"REL-01": ("half-applied squash",)},
    ),
    Planted(
        "loses_a_row",
        {"MIG-03": ("public.igny8_usage_days",)},
        runs(
            "DELETE FROM igny8_usage_days WHERE (tenant_id, day) IN (SELECT tenant_id, day FROM igny8_usage_days LIMIT 1)"
        ),
        samples={"MIG-03": ()},
    ),
    Planted(
        "moves_a_cent",
        {"BIL-24": ("public.igny8_payments",)},
        runs(
            "UPDATE igny8_payments SET amount = amount + CASE id WHEN 200 THEN 0.01 ELSE -0.01 END WHERE id IN (53, 200)"
        ),
        samples={"BIL-24": ()},
    ),
    Planted(
        "gives_a_row_away",
        {"REL-12": ("public.igny8_AuditTrail",)},
        runs(
            'UPDATE "igny8_AuditTrail" SET "tenantId" = (SELECT max(id) FROM igny8_tenants) WHERE "entryId" = '
            '(SELECT min("entryId") FROM "igny8_AuditTrail" WHERE "actorId" IS NULL)'
        ),
        samples={"REL-12": ()},
    ),
    Planted(
        "drops_a_column",
        {"REL-11": ("whole",)},
        runs("ALTER TABLE igny8_tags DROP COLUMN IF EXISTS legacy"),
        source="ALTER TABLE igny8_tags ADD legacy text; UPDATE igny8_tags SET legacy = name WHERE id % 2 = 0",
        samples={"REL-11": ()},
    ),
    Planted(
        "an index made by hand",
        {"REL-10": ("whole",)},
        source="CREATE INDEX made_by_hand ON igny8_tags (name)",
        samples={"REL-10": ("index public.igny8_tags.made_by_hand",)},
    ),
    Planted(
        "the release before knows nothing of a column that must be filled",
        {"REL-15": ("whole",)},
        in_previous=knows_no_locale,
        samples={"REL-15": ("igny8.Site knows nothing of igny8_sites.locale",)},
    ),
    Planted(
        "the release before asks for a column that is not there",
        {"REL-14": ("whole",)},
        in_previous=asks_for_a_nickname,
        samples={"REL-14": ("igny8.Tag misses igny8_tags.nickname",)},
    ),
    Planted("no_way_back", {"REL-02": ("whole",)}, "migrations.RunPython(lambda apps, schema_editor: None)"),
    Planted(
        "needs_an_extension",
        {"REL-03": ("whole",)},
        "migrations.RunSQL('CREATE EXTENSION tablefunc', 'DROP EXTENSION tablefunc')",
        samples={"REL-03": ("tablefunc",)},
    ),
    Planted(
        "another_time_another_row",
        {"REL-13": ("whole",)},
        runs("UPDATE igny8_notes SET body = body || '.' WHERE id = (SELECT min(id) FROM igny8_notes)"),
        samples={"REL-13": ("public.igny8_notes: its rows are not what they were the first time (in body)",)},
    ),
    Planted(
        "closes_a_large_table",
        {"REL-06": ("whole",), "REL-08": ("whole",)},
        f"migrations.RunSQL({REWRITE!r}, migrations.RunSQL.noop)",
        samples={
            "REL-06": ("{migration} public.igny8_usage_days",),
            "REL-08": (
                "{migration} read public.igny8_usage_days",
                "{migration} write public.igny8_usage_days",
            ),
        },
    ),
    Planted("writes_too_much", {"REL-07": ("whole",)}, f"migrations.RunSQL({BULK!r}, migrations.RunSQL.noop)"),
    Planted(
        "a model without its migration",
        {"MIG-05": ("whole",)},
        in_code=a_field_without_a_migration,
        samples={"MIG-05": ("igny8: Add field pinned to note",)},
    ),
    Planted(
        "calls_home",
        {"APP-05": ("whole",)},
        "migrations.RunPython(lambda apps, schema_editor: __import__('socket').socket().connect_ex(('192.0.2.1', 80)), "
        "migrations.RunPython.noop)",
        samples={"APP-05": ("connect 192.0.2.1:80",)},
    ),
    Planted(
        "cookies in clear",
        {"REL-20": ("whole",)},
        in_code=cookies_in_clear,
        samples={"REL-20": ("security.W012",)},
    ),
    Planted(
        "a field that nothing opens",
        {"REL-21": ("whole",)},
        in_code=a_field_that_nothing_opens,
        samples={"REL-21": ("igny8.UsageDay.operations: LookupError",)},
    ),
    Planted(
        "pages that call out and that break",
        {"REL-22": ("whole",), "REL-23": ("whole",)},
        in_code=pages_that_call_out_and_that_break,
        samples={
            "REL-22": ("admin: igny8.Plan, the list: LookupError",),
            "REL-23": (f"connect 192.0.2.7:443 (igny8_core/igny8/admin.py:{CALLING_LINE})",),
        },
    ),
    Planted("waits_without_end", {"REL-24": ("whole",)}, runs("LOCK TABLE igny8_tags IN SHARE MODE")),
)


def planted_checkout(folder: Path, release: tuple[Planted, ...] = RELEASE) -> Path:
    """A copy of the sample with every fault of the release in it."""
    checkout = copy_of_the_sample(folder)
    last = LAST
    for number, planted in enumerate(release, 10):
        if planted.in_code is not None:
            planted.in_code(checkout)
        if planted.operations:
            name = migration_name(planted, release)
            assert name.startswith(f"{number + 1:04}")
            new_migration(checkout, name, planted.operations, after=last)
            last = name
    return checkout


def previous_checkout(folder: Path, release: tuple[Planted, ...] = RELEASE) -> Path:
    """The release before: a copy of the sample with every fault in it that lies there."""
    checkout = copy_of_the_sample(folder)
    for planted in release:
        if planted.in_previous is not None:
            planted.in_previous(checkout)
    return checkout


def fails_half_way(folder: Path) -> Path:
    """A copy of the sample whose last migration fails outside a transaction, after its first statement."""
    checkout = copy_of_the_sample(folder)
    new_migration(checkout, "0010_half_way", HALF_WAY)
    file = checkout / APP / "migrations" / "0010_half_way.py"
    replace_in(file, {"    dependencies": "    atomic = False\n    dependencies"})
    return checkout


def migration_name(planted: Planted, release: tuple[Planted, ...] = RELEASE) -> str:
    return f"{release.index(planted) + 11:04}_{planted.name}"


def planted_in_source(release: tuple[Planted, ...] = RELEASE) -> str:
    """What is done to the database before it is backed up."""
    return "; ".join(planted.source for planted in release if planted.source)


def findings(release: tuple[Planted, ...] = RELEASE) -> dict[str, list[str]]:
    """Every finding that the gate must have, by control; and it may have no other."""
    subjects_by_control: dict[str, set[str]] = {}
    for planted in release:
        for control, subjects in planted.findings.items():
            subjects_by_control.setdefault(control, set()).update(subjects)
    return {control: sorted(subjects) for control, subjects in sorted(subjects_by_control.items())}
