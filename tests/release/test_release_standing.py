"""The stage `stand up` of a gate: the release as it would be deployed, on a clone of what it has migrated."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.application.clones import marked_clone
from fixtures.application.migrate import migrate
from fixtures.record.release.standing import Standing
from fixtures.record.stage import StageFailed
from fixtures.release.stand_up import stand_up
from tests.support.application_under_test import APPLICATION, Bench, copy_of_the_sample
from tests.support.spoiled_sets import replace_in

APP = Path("igny8_core") / "igny8"
# A field that opens what lies in its column: to the migrations it is what it was before.
SEALED = """
class Sealed(models.PositiveIntegerField):
    def from_db_value(self, value, expression, connection):
        raise LookupError("no key opens Ada Lovelace")

    def deconstruct(self):
        name, _, arguments, words = super().deconstruct()
        return name, "django.db.models.PositiveIntegerField", arguments, words


"""


@dataclass(frozen=True)
class Migrated:
    """The sample migrated, and marked: a release of it, spoiled or not, is stood up on it."""

    place: Bench
    token: str

    def stands(self, checkout: Path, *addresses: str, page_limit: float = 60) -> Standing:
        interpreter = self.place.interpreter(checkout, checkout.parent / "private")
        return stand_up(interpreter, self.token, addresses, 300, page_limit)


@pytest.fixture(scope="module")
def migrated(place: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    folder = tmp_path_factory.mktemp("standing")
    checkout = copy_of_the_sample(folder)
    with place.restored() as connection:
        connection.close()
        migrate(place.server, place.interpreter(checkout, folder / "private"), 120)
        place.server.create_database("before", template="migrated")
        place.server.drop_database("migrated")
        token = marked_clone(place.server, "migrated", "before")
        place.server.drop_database("before")
        yield Migrated(place, token)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_of_the_sample(tmp_path)


@pytest.mark.further
def test_the_sample_stands_as_it_would_be_deployed(migrated: Migrated, checkout: Path) -> None:
    standing = migrated.stands(checkout, "/healthz", "/login/", "/nowhere")
    assert (standing.deploy_exit, standing.deploy_problems) == (0, ("security.W004", "security.W008"))
    assert (standing.url_error, standing.url_patterns > 20) == ("", True)
    assert (standing.admin_sites, standing.admin_user) == (1, True)
    statuses = {page.address: page.status for page in standing.pages}
    assert {path: statuses[path] for path in ("/healthz", "/login/", "/nowhere")} == {
        "/healthz": 200,
        "/login/": 200,
        "/nowhere": 404,
    }
    assert statuses["admin: index"] == 200
    assert statuses["admin: igny8.Invoice, the list"] == statuses["admin: igny8.Invoice, a row"] == 200
    assert all(page.answered for page in standing.pages if page.address != "/nowhere")
    models = {model.model: model for model in standing.models}
    assert models["igny8.UsageDay"].row
    assert models["igny8.Invoice"].decoded == ("lines",)
    assert not any(model.error for model in standing.models)
    assert (standing.reached, standing.mails) == ((), 0)


@pytest.mark.further
def test_what_was_written_meanwhile_is_undone(migrated: Migrated, checkout: Path) -> None:
    def sessions() -> tuple[object, ...] | None:
        with migrated.place.server.connect("migrated") as connection:
            return connection.execute("SELECT count(*) FROM django_session").fetchone()

    before = sessions()
    migrated.stands(checkout)
    assert sessions() == before


def test_each_fault_of_a_release_is_told_by_its_place_and_without_a_row(migrated: Migrated, checkout: Path) -> None:
    billing = checkout / APP / "models" / "billing.py"
    replace_in(billing, {"class Subscription(": f"{SEALED}class Subscription("})
    replace_in(billing, {"operations = models.PositiveIntegerField()": "operations = Sealed()"})
    admin = checkout / APP / "admin.py"
    admin.write_text(
        admin.read_text()
        + """

class Calling(admin.ModelAdmin):
    def changelist_view(self, request, extra_context=None):
        import socket

        socket.socket().connect_ex(("192.0.2.7", 443))
        return super().changelist_view(request, extra_context)


class Breaking(admin.ModelAdmin):
    list_display = ["shout"]

    def shout(self, row):
        raise LookupError("Ada Lovelace")


admin.site.unregister(apps.get_model("igny8", "Currency"))
admin.site.register(apps.get_model("igny8", "Currency"), Calling)
admin.site.unregister(apps.get_model("igny8", "Plan"))
admin.site.register(apps.get_model("igny8", "Plan"), Breaking)
"""
    )
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text(settings.read_text() + "\nSESSION_COOKIE_SECURE = False\n")
    standing = migrated.stands(checkout)
    assert standing.deploy_problems == ("security.W004", "security.W008", "security.W012")
    broken = [(model.model, model.broken, model.error) for model in standing.models if model.error]
    assert broken == [("igny8.UsageDay", "operations", "LookupError")]
    pages = [(page.address, page.status, page.error) for page in standing.pages if not page.answered]
    assert pages == [("admin: igny8.Plan, the list", None, "LookupError")]
    line = next(n for n, text in enumerate(admin.read_text().splitlines(), 1) if "connect_ex" in text)
    assert standing.reached == (f"connect 192.0.2.7:443 (igny8_core/igny8/admin.py:{line})",)
    assert "Lovelace" not in standing.model_dump_json()


# Each of them would go on for as long as the whole stage may: in its own code, in a statement, and past what ends it once.
ENDLESS = """
import time

from django.db import connection
from django.http import HttpResponse


def computing(request):
    while True:
        time.sleep(1)


def waiting(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(300)")


def catching_all(request):
    try:
        computing(request)
    except BaseException:
        computing(request)


def streaming(request):
    for row in rows_of_a_cursor():
        time.sleep(1)


def rows_of_a_cursor():
    from django.apps import apps

    return apps.get_model("igny8", "Content").objects.all().iterator(chunk_size=1)


def answering(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_migrations")
    return HttpResponse("there")
"""
ROUTED = """
from . import endless

urlpatterns += [
    path("computing/", endless.computing),
    path("waiting/", endless.waiting),
    path("catching/", endless.catching_all),
    path("streaming/", endless.streaming),
    path("answering/", endless.answering),
]
"""
ADMINISTERED = """
from igny8_core.endless import waiting


class Waiting(admin.ModelAdmin):
    def changelist_view(self, request, extra_context=None):
        waiting(request)


admin.site.unregister(apps.get_model("igny8", "Currency"))
admin.site.register(apps.get_model("igny8", "Currency"), Waiting)
"""


BREAKS_AT = {
    "label_from_instance": """
from django.forms import ModelChoiceField

own = ModelChoiceField.label_from_instance


def label_from_instance(self, row):
    if (row._meta.label, row.pk) == ("igny8.Content", {last}):
        raise LookupError("Ada Lovelace")
    return own(self, row)


ModelChoiceField.label_from_instance = label_from_instance
""",
    "create_option": """
from django.forms.widgets import ChoiceWidget

own = ChoiceWidget.create_option


def create_option(self, name, value, *arguments, **named):
    row = getattr(value, "instance", None)
    if row is not None and (row._meta.label, row.pk) == ("igny8.Content", {last}):
        raise LookupError("Ada Lovelace")
    return own(self, name, value, *arguments, **named)


ChoiceWidget.create_option = create_option
""",
}


@pytest.mark.further
def test_a_page_that_takes_too_long_is_ended_and_the_next_one_answers(migrated: Migrated, checkout: Path) -> None:
    (checkout / "igny8_core" / "endless.py").write_text(ENDLESS)
    for file, more in ((checkout / "igny8_core" / "urls.py", ROUTED), (checkout / APP / "admin.py", ADMINISTERED)):
        file.write_text(file.read_text() + more)
    addresses = ("/computing/", "/waiting/", "/catching/", "/streaming/", "/answering/")
    standing = migrated.stands(checkout, *addresses, page_limit=4)
    named = [(page.address, page.status, page.error, page.ended) for page in standing.pages if not page.in_admin]
    assert named == [
        ("/computing/", None, "", True),
        ("/waiting/", None, "", True),
        ("/catching/", None, "", True),
        ("/streaming/", None, "", True),
        ("/answering/", 200, "", False),
    ]
    (slow,) = standing.ended_in_admin
    assert slow.address == "admin: igny8.Currency, the list"
    assert all(page.answered for page in standing.pages if page.in_admin and page != slow)
    assert {each.model for each in standing.choices_cut} >= {"igny8.Content", "igny8.Invoice"}


@pytest.mark.further
@pytest.mark.parametrize("breaks", ["label_from_instance", "create_option"])
def test_each_row_of_a_long_select_is_read_and_few_are_rendered(
    migrated: Migrated, checkout: Path, breaks: str
) -> None:
    with migrated.place.server.connect("migrated") as connection:
        counted = connection.execute("SELECT count(*), max(id) FROM igny8_content").fetchone()
    assert counted is not None
    rows, last = counted
    assert rows > 100
    healthy = migrated.stands(checkout)
    assert all(page.answered for page in healthy.pages)
    assert [each.rows for each in healthy.choices_cut if each.model == "igny8.Content"] == [rows]
    with (checkout / APP / "admin.py").open("a") as admin:
        admin.write(BREAKS_AT[breaks].format(last=last))
    pages = [(page.error, page.address) for page in migrated.stands(checkout).pages if not page.answered]
    # Every option is made on the first of the pages that have the select.
    assert [error for error, _ in pages] == ["LookupError"]


def test_a_url_conf_that_cannot_be_imported_is_told(migrated: Migrated, checkout: Path) -> None:
    urls = checkout / "igny8_core" / "urls.py"
    urls.write_text(urls.read_text() + '\nurlpatterns.append(path("x/", __import__("x.urls")))\n')
    standing = migrated.stands(checkout, "/healthz")
    assert standing.url_error == "ModuleNotFoundError: No module named 'x'"
    assert [page.status for page in standing.pages] == [None]


def test_another_database_is_not_taken_for_it(migrated: Migrated, checkout: Path) -> None:
    environment = {name: value for name, value in APPLICATION.environment.items() if not name.startswith("DB_")}
    elsewhere = migrated.place.interpreter(
        checkout, checkout.parent / "private", APPLICATION.model_copy(update={"environment": environment})
    )
    with pytest.raises(StageFailed, match="another database than the restored one"):
        stand_up(elsewhere, migrated.token, (), 60, 5)
