"""A tenant that is missing, new, or that nobody can log in for is found out."""

from collections.abc import Iterator, Sequence

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.examination import Finding
from fixtures.checks.tenancy.tenants import all_tenants
from fixtures.checks.tenancy.tenants_schemas import unpaired, without_schema
from fixtures.checks.tenancy.whole_tenants import lost_or_made, since_then, unlike_the_manifest, without_owner
from fixtures.ownership import Ownership, derive_ownership
from fixtures.profile.each_schema import said_of_each, schemas_of_tenants
from fixtures.profile.owners import Schemas
from fixtures.profile.people import Login
from fixtures.profile.reading import read_profile
from fixtures.profile.tenancy import Tenancy
from fixtures.record.contents import SharesCompared
from fixtures.record.names import TableName
from tests.support.drills import PROFILE
from tests.support.guarded_source import Guarded, Look, guarded_source

ROOT = TableName("public", "tenants")
PEOPLE = """
ALTER TABLE tenants ADD state text NOT NULL DEFAULT 'open', ADD "ownedBy" int;
CREATE TABLE "Users" (no int PRIMARY KEY, "on" boolean, secret text);
INSERT INTO "Users" SELECT g, true, 'pbkdf2_sha256$1$x$y' FROM generate_series(1, 6) g;
CREATE TABLE members ("user" int, "tenantCode" uuid, boss boolean);
INSERT INTO members SELECT g, ('00000000-0000-0000-0000-00000000000' || (g + 1) / 2)::uuid, g % 2 = 1
  FROM generate_series(1, 6) g;
UPDATE tenants SET "ownedBy" = 2 * right(code::text, 1)::int - 1;
"""
USERS = {"users": "Users", "key": "no", "active": "on", "password": "secret"}
OPEN = {"status": "state", "active_tenants": ("open", "trial")}
MEMBERS = {"table": "members", "user": "user", "tenant": "tenantCode", "role": "boss", "owners": ("true",)}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with guarded_source() as ready:
        yield ready


def finding(guarded: Guarded, planted: str, **login: object) -> tuple[int | None, int]:
    """How many active tenants were looked at, and how many nobody can log in for."""
    with guarded.spoiled(PEOPLE + planted) as look:
        return found_by(look, [Login.model_validate(USERS | login)], look.ownership)


def found_by(look: Look, logins: Sequence[Login], ownership: Ownership) -> tuple[int | None, int]:
    try:
        look.database.expect_none(without_owner(logins, ownership))
    except Finding as finding:
        return look.database.examination.examined, finding.broken
    return look.database.examination.examined, 0


@pytest.mark.parametrize(
    ("planted", "locked_out"),
    [
        ("", 0),
        ('UPDATE "Users" SET "on" = false WHERE no = 1', 1),
        ('UPDATE "Users" SET "on" = NULL WHERE no = 1', 1),
        ("""UPDATE "Users" SET secret = '!abc' WHERE no = 1""", 1),
        ("""UPDATE "Users" SET secret = '' WHERE no IN (1, 3)""", 2),
        ('UPDATE "Users" SET secret = NULL WHERE no = 1', 1),
        ('UPDATE "Users" SET "on" = false WHERE no = 2', 0),
        ("UPDATE tenants SET state = 'trial'", 0),
    ],
)
def test_an_owner_who_cannot_log_in_is_none(guarded: Guarded, planted: str, locked_out: int) -> None:
    assert finding(guarded, planted, members=MEMBERS, **OPEN) == (3, locked_out)
    assert finding(guarded, planted, owner="ownedBy", **OPEN) == (3, locked_out)


def test_a_tenant_without_any_member_or_with_none_in_that_role_is_found(guarded: Guarded) -> None:
    planted = 'UPDATE members SET boss = false WHERE "user" = 1; DELETE FROM members WHERE "user" > 4'
    assert finding(guarded, planted, members=MEMBERS) == (3, 2)
    everyone = {key: value for key, value in MEMBERS.items() if key not in ("role", "owners")}
    assert finding(guarded, planted, members=everyone) == (3, 1)


def test_only_active_tenants_need_an_owner_and_single_sign_on_no_password(guarded: Guarded) -> None:
    closed = "UPDATE \"Users\" SET \"on\" = false, secret = '!'; UPDATE tenants SET state = 'closed'"
    assert finding(guarded, closed, members=MEMBERS, **OPEN) == (0, 0)
    without = {"password": None, "single_sign_on": "people log in with their employer's account"}
    assert finding(guarded, "UPDATE \"Users\" SET secret = '!'", members=MEMBERS, **without) == (3, 0)


GROUPED = """
CREATE TABLE groups (name text PRIMARY KEY);
INSERT INTO groups SELECT 'editors of ' || g FROM generate_series(1, 3) g;
CREATE TABLE people_in_groups ("user" int, "groupName" text REFERENCES groups);
INSERT INTO people_in_groups SELECT g, 'editors of ' || g FROM generate_series(1, 3) g;
INSERT INTO people_in_groups VALUES (3, 'editors of 1');
CREATE TABLE permits (id int PRIMARY KEY, "groupName" text REFERENCES groups, code uuid REFERENCES tenants);
INSERT INTO permits SELECT g, 'editors of ' || g, ('00000000-0000-0000-0000-00000000000' || g)::uuid
  FROM generate_series(1, 3) g;
"""
THROUGH_GROUPS = {
    "table": "people_in_groups",
    "user": "user",
    "group": "groupName",
    "groups": {"table": "permits", "group": "groupName"},
}


@pytest.mark.parametrize("column", [{"tenant": "code"}, {}])
@pytest.mark.parametrize(
    ("planted", "locked_out"),
    [
        ("", 0),
        ('UPDATE "Users" SET "on" = false WHERE no = 2', 1),
        ('UPDATE "Users" SET "on" = false WHERE no = 1', 0),
        ("DELETE FROM permits WHERE id = 3", 1),
        ("UPDATE permits SET code = NULL WHERE id = 3", 1),
        ("""DELETE FROM people_in_groups WHERE "groupName" <> 'editors of 1'""", 2),
    ],
)
def test_people_belong_to_tenants_through_groups(
    guarded: Guarded, planted: str, locked_out: int, column: dict[str, str]
) -> None:
    through = {**THROUGH_GROUPS, "groups": {"table": "permits", "group": "groupName", **column}}
    assert finding(guarded, GROUPED + planted, members=through) == (3, locked_out)


def test_a_membership_whose_rows_nobody_owns_is_a_fault_of_the_profile(guarded: Guarded) -> None:
    members = {"table": "people_in_groups", "user": "user"}
    tenancy = Tenancy.model_validate({"root": "tenants", "login": {**USERS, "members": members}})
    with guarded.spoiled(PEOPLE + GROUPED) as look:
        assert list(derive_ownership(look.database.facts, tenancy).unworkable) == [
            "tenancy.login.members: no tenant owns the rows of public.people_in_groups: "
            "name the column of their tenant in tenant"
        ]


def test_what_the_migrations_part_from_its_schema_is_told_and_what_the_backup_held_so_is_not(guarded: Guarded) -> None:
    planted = """
    ALTER TABLE tenants ADD place text;
    UPDATE tenants SET place = 'tenant_' || right(code::text, 1);
    CREATE SCHEMA tenant_1 CREATE TABLE orders (id int);
    CREATE SCHEMA tenant_2 CREATE TABLE orders (id int);
    CREATE SCHEMA tenant_3 CREATE TABLE orders (id int);
    """
    tenancy, schemas = (
        Tenancy.model_validate({"root": "tenants", "schemas": {"column": "place"}}),
        Schemas(column="place"),
    )
    with guarded.spoiled(planted + "UPDATE tenants SET place = 'tenant_0' WHERE place = 'tenant_1'") as look:
        before = unpaired(look.database, derive_ownership(look.database.facts, tenancy), schemas)
        assert "tenant_1 is named by no tenant" in before
        assert before[-1].endswith("has no table in its schema")
    with guarded.spoiled(
        planted + "UPDATE tenants SET place = 'tenant_0' WHERE place IN ('tenant_1', 'tenant_2')"
    ) as look:
        after = unpaired(look.database, derive_ownership(look.database.facts, tenancy), schemas)
    told = since_then(before, after)
    assert told[0] == "tenant_2 is named by no tenant after the migrations"
    assert told[1].endswith("has no table in its schema after the migrations")
    assert len(told) == len(after) - len(before) == 2


def test_a_tenant_whose_schema_is_missing_altogether_is_named(guarded: Guarded) -> None:
    planted = """
    ALTER TABLE tenants ADD place text;
    UPDATE tenants SET place = 'tenant_' || right(code::text, 1);
    CREATE SCHEMA tenant_1 CREATE TABLE orders (id int);
    CREATE SCHEMA tenant_2;
    """
    with guarded.spoiled(planted) as look:
        tenancy = Tenancy.model_validate({"root": "tenants", "schemas": {"column": "place"}})
        ownership = derive_ownership(look.database.facts, tenancy)
        schemas = Schemas(column="place")
        lost = without_schema(look.database, ownership, schemas)
        assert [each.split(" ", 1)[1] for each in lost] == ["has no table in its schema"] * 2
        not_begun = {"at_most": 9, "reason": "a tenant that has not begun yet"}
        aside = Schemas.model_validate({"column": "place", "apart": {"tenant_2": not_begun}})
        assert len(without_schema(look.database, ownership, aside)) == 1
    with guarded.spoiled(planted + "UPDATE tenants SET place = 'public' WHERE place <> 'tenant_1'") as look:
        assert without_schema(look.database, derive_ownership(look.database.facts, tenancy), schemas) == []
    with guarded.spoiled(planted + "UPDATE tenants SET place = NULL") as look:
        assert len(without_schema(look.database, derive_ownership(look.database.facts, tenancy), schemas)) == 3


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ({"members": {**MEMBERS, "group": "groupName"}}, "group and groups belong together"),
        ({"members": {**THROUGH_GROUPS, "tenant": "code"}}, "say it in groups"),
        ({"members": MEMBERS, "owner": "ownedBy"}, "say members or owner, one of the two"),
        ({"owner": "ownedBy", "password": None}, "say password or single_sign_on, one of the two"),
        ({"owner": "ownedBy", "status": "state"}, "status and active_tenants belong together"),
        ({"members": {**MEMBERS, "owners": ()}}, "role and owners belong together"),
    ],
)
def test_what_a_profile_says_of_logins_is_said_once_and_whole(said: dict[str, object], refusal: str) -> None:
    with pytest.raises(ValueError, match=refusal):
        Login.model_validate(USERS | said)


def test_tenants_that_the_migrations_lost_or_made_are_named(guarded: Guarded) -> None:
    with guarded.spoiled() as before, guarded.spoiled("UPDATE tenants SET code = code WHERE false") as same:
        tenants = all_tenants(before.database, before.ownership.root)
        assert lost_or_made(tenants, all_tenants(same.database, same.ownership.root), b"key") == []
    assert lost_or_made([1, 2, 3], [2, 3, 4], b"key") == [
        "tenant=1 is gone after the migrations",
        "tenant=4 is new after the migrations",
    ]


def test_the_manifest_is_asked_by_tenant_where_it_can_be_and_by_number_otherwise() -> None:
    compared = SharesCompared(
        table=ROOT, owned=True, tenants=3, moved=1, changed=1, samples=("tenant=3 rows=-1",), money=()
    )
    assert unlike_the_manifest(ROOT, 2, {ROOT: 3}, (compared,)) == ["tenant=3 rows=-1 against the manifest"]
    altered = compared.model_copy(update={"moved": 0, "samples": ("tenant=3",)})
    assert unlike_the_manifest(ROOT, 3, {ROOT: 3}, (altered,)) == []
    unread = compared.model_copy(update={"problem": "its path to the tenant is broken"})
    assert unlike_the_manifest(ROOT, 2, {ROOT: 3}, (unread,)) == ["2 tenants where the source had 3"]
    assert unlike_the_manifest(ROOT, 3, {ROOT: 3}, ()) == []
    with pytest.raises(Blocked, match=r"does not count public\.tenants"):
        unlike_the_manifest(ROOT, 3, {}, ())


# Keys begin anew in each schema: user 1 is another person in each.
EACH_ITS_OWN = """
ALTER TABLE tenants ADD schema_name text, ADD keeper int DEFAULT 1;
UPDATE tenants SET schema_name = 'tenant_' || right(code::text, 1);
""" + "".join(
    f"""
CREATE SCHEMA tenant_{number};
CREATE TABLE tenant_{number}.people (id int PRIMARY KEY, "on" boolean, secret text, boss boolean);
INSERT INTO tenant_{number}.people VALUES (1, true, 'pbkdf2_sha256$1$x$y', true), (2, true, 'pbkdf2_sha256$1$x$y', false);
"""
    for number in (1, 2, 3)
)
APART = {"column": "schema_name", "apart": {"Odd": {"reason": "no tenant's", "at_most": 9}}}
BY_SCHEMA = {"users": "{schema}.people", "active": "on", "password": "secret"}
BOSSES = {"table": "{schema}.people", "user": "id", "role": "boss", "owners": ["true"]}


@pytest.mark.parametrize(
    ("planted", "locked_out"),
    [
        ("", 0),
        ('UPDATE tenant_2.people SET "on" = false WHERE id = 1', 1),
        ("UPDATE tenant_2.people SET secret = '!' WHERE id = 1; DELETE FROM tenant_3.people", 2),
        ('UPDATE tenant_2.people SET "on" = false WHERE id = 2', 0),
    ],
)
@pytest.mark.parametrize("owned", [{"members": BOSSES}, {"owner": "keeper"}], ids=["members", "owner"])
def test_people_of_a_schema_let_nobody_in_elsewhere(
    guarded: Guarded, planted: str, locked_out: int, owned: dict[str, object]
) -> None:
    said = {"root": "tenants", "schemas": APART, "login": {**BY_SCHEMA, **owned}}
    with guarded.spoiled(EACH_ITS_OWN + planted) as look:
        profile = read_profile(PROFILE).profile.model_copy(update={"tenancy": Tenancy.model_validate(said)})
        facts = look.database.facts
        tenancy = said_of_each(profile, schemas_of_tenants(facts, ROOT, profile.tenancy.schemas)).tenancy
        assert len(tenancy.login) == 3
        assert found_by(look, tenancy.login, derive_ownership(facts, tenancy)) == (3, locked_out)


def test_an_owner_may_stand_in_any_table_of_users(guarded: Guarded) -> None:
    staff = ';CREATE TABLE staff (no int PRIMARY KEY, "on" boolean, secret text, "tenantCode" uuid); '
    moved = """UPDATE "Users" SET "on" = false WHERE no = 1; """
    let_in = "INSERT INTO staff SELECT 9, true, 'x', code FROM tenants ORDER BY code LIMIT 1"
    of_staff = {"table": "staff", "user": "no", "tenant": "tenantCode"}
    logins = [
        Login.model_validate({**USERS, "members": MEMBERS}),
        Login.model_validate({**USERS, "users": "staff", "members": of_staff}),
    ]
    for planted, locked_out in ((staff + moved, 1), (staff + moved + let_in, 0)):
        with guarded.spoiled(PEOPLE + planted) as look:
            assert found_by(look, logins, look.ownership) == (3, locked_out)
