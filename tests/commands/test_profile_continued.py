"""A profile goes on after the data or the application changed: what is new is appended, what a person wrote stays."""

import difflib
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.commands.continuing.appended import appended
from fixtures.commands.continuing.news import Before, news
from fixtures.commands.continuing.proceed import Continued, continued
from fixtures.commands.drafting.__main__ import finish, main
from fixtures.commands.drafting.page import Line, Section
from fixtures.database.catalogue import take_facts
from fixtures.database.reconcile import reconcile
from fixtures.profile.reading import read_profile
from fixtures.record.names import TableName
from tests.support.drills import PROFILE
from tests.support.short_drills import Standing
from tests.support.short_drills import standing as template

BASE = """# A person's own words.
[application]
name = "shop"
environment = {}

[backup]   # odd   spacing stays
required = ["dump"]
least_bytes = 1
[targets]
rpo_hours = 24
rto_minutes = 60

[tenancy]
root = "tenant"

[tenancy.shared]
b_list = "the same for all"  # b before a
a_list = "the same for all"
#left_out = "nobody knows"

# Of files.
[[files]]
name = "own"
table = "upload"
path = "file"
root = "media"
#[[tenancy.soft_reference]]
#table = "task"
#column = "user_id"
#target = "person"
"""


def name(table: str) -> TableName:
    return TableName("public", table)


def shared(table: str, *, offered: bool = False) -> Section:
    line = Line(name(table), "the same for everyone", f"{table}: 3 rows.", offered=offered)
    return Section("[tenancy.shared]", (line,), ("Shared.",), "tenancy.shared")


def entry(header: str, part: str = "", **values: str) -> Section:
    return Section(header, tuple(Line(key, value) for key, value in values.items()), ("Seen.",), part)


def upload(path: str) -> Section:
    return entry("[[files]]", "files.more", name="more", table="upload", path=path, root="media")


CLONE = "continued"
SOFT = "[[tenancy.soft_reference]]"
OPEN = ("new_list", "left_out", "part")


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ([shared("a_list")], []),
        ([shared("elsewhere")], []),
        ([shared("left_out", offered=True)], []),
        ([upload("file")], []),
        ([entry(SOFT, "s", table="task", column="user_id", target="person")], []),
        ([entry("[[period]]", "p", table="in_sql")], []),
        ([entry("[targets]", "targets", rpo_hours="1")], []),
        (
            [shared("new_list")],
            ["# new_list: 3 rows.", 'new_list = "the same for everyone"', "unconfirmed: tenancy.shared"],
        ),
        ([shared("new_list", offered=True)], ["# new_list: 3 rows.", '#new_list = "the same for everyone"']),
        ([upload("thumb")], ["# Seen.", "[[files]]", 'path = "thumb"', "unconfirmed: files.more"]),
        (
            [entry(SOFT, "tenancy.soft_reference.task", table="task", column="site_id", target="site")],
            [SOFT, 'column = "site_id"', "unconfirmed: tenancy.soft_reference.task"],
        ),
        (
            [entry("[[tenancy.downward]]", "d", table="part", nonsense="x")],
            ["#[[tenancy.downward]]", '#nonsense = "x"', "It does not fit"],
        ),
        ([entry("[currencies]", "currencies", table="currency", code="code")], ["#[currencies]", '#code = "code"']),
    ],
)
@pytest.mark.parametrize(
    "text",
    [
        BASE,
        BASE.replace("\n", "\r\n"),
        BASE.rstrip("\n"),
        BASE.replace("[application]", 'unconfirmed = ["targets"]\n[application]', 1),
    ],
    ids=["plain", "crlf", "no-end", "unconfirmed"],
)
def test_what_is_new_is_appended_and_all_else_stays(
    text: str, sections: list[Section], expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.sql").write_text("SELECT 1 FROM in_sql")
    groups = list(news(Before.of(text, tmp_path, OPEN), sections))
    after = appended(text, groups, tmp_path)
    assert bool(groups) == (after != text) == bool(expected)
    added = _added(text, after)
    for words in expected:
        _, guess, part = words.partition("unconfirmed: ")
        assert part in tomllib.loads(after)["unconfirmed"] if guess else words in added, after
    assert tomllib.loads(after).get("unconfirmed", []) == [
        *(words.removeprefix("unconfirmed: ") for words in expected if words.startswith("unconfirmed: ")),
        *tomllib.loads(text).get("unconfirmed", []),
    ]
    assert {line.endswith("\r") for line in after.split("\n")[:-1]} == {"\r\n" in text}
    assert not list(news(Before.of(after, tmp_path, OPEN), sections)), after


def _added(text: str, after: str) -> str:
    """The lines that `after` has more. Every line of `text` is there, in its order."""
    lines = text.replace('unconfirmed = ["targets"]', 'unconfirmed = [\n"targets"]').splitlines()
    theirs = after.replace(' "targets"', '"targets"').replace(',"targets"', ',\n"targets"')
    theirs = theirs.replace('unconfirmed = ["targets"]', 'unconfirmed = [\n"targets"]')
    changes = list(difflib.ndiff(lines, theirs.splitlines()))
    assert not [change for change in changes if change.startswith("- ")]
    return "\n".join(change[2:] for change in changes if change.startswith("+ "))


def test_a_new_line_stands_below_the_header_that_is_there(tmp_path: Path) -> None:
    after = appended(BASE, news(Before.of(BASE, tmp_path, OPEN), [shared("new_list")]), tmp_path)
    assert (
        '#left_out = "nobody knows"\n# new_list: 3 rows.\nnew_list = "the same for everyone"\n\n# Of files.\n' in after
    )


@pytest.fixture
def changed(standing: Standing) -> Iterator[psycopg.Connection[Any]]:
    """The sample's restored database, its profile's own, to be changed."""
    standing.server.create_database(CLONE, template=template("restored"))
    with standing.server.connect(CLONE) as connection:
        yield connection
    standing.server.drop_database(CLONE)


def go_on(standing: Standing, session: psycopg.Connection[Any], profile: Path) -> Continued:
    source = read_profile(profile)
    assert standing.record.facts is not None
    counted = {table.name: table.rows for table in standing.record.facts.tables if table.rows is not None}
    facts = take_facts(session, {**counted, name("price_band"): 2})
    problems = reconcile(source.profile, facts, str(source.path)).problems
    record = standing.record.model_copy(
        update={"facts": facts, "profile_problems": problems, "profile_path": str(source.path)}
    )
    with standing.server.reading(CLONE) as reading:
        return continued(record, reading, source, None)


def test_the_sample_goes_on_with_a_new_table(
    standing: Standing, changed: psycopg.Connection[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = Path(shutil.copytree(PROFILE, tmp_path / "igny8")) / "profile.toml"
    compared = go_on(standing, changed, profile)
    finish(profile, compared)
    settled = profile.read_text()
    assert not compared.gone
    profile.chmod(0o640)
    capsys.readouterr()
    assert finish(profile, go_on(standing, changed, profile)) == 0
    assert capsys.readouterr().out == f"{profile}: nothing new; the file was not touched\n"
    changed.execute("CREATE TABLE price_band (id int PRIMARY KEY); INSERT INTO price_band VALUES (1), (2)")
    changed.execute("ALTER TABLE igny8_credit_ledger RENAME COLUMN kind TO sort")
    assert finish(profile, go_on(standing, changed, profile)) == 0
    told, after = capsys.readouterr().out, profile.read_text()
    assert "+# price_band: 2 rows; none points at it. Undecided" in told
    assert "+#price_band = " in told
    line = 1 + settled.splitlines().index('column = "kind"')
    assert f"{profile}:{line}: ledger 'credits'.kinds.column: no column kind in public.igny8_credit_ledger" in told
    assert _added(settled, after).startswith("# price_band")
    assert profile.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in profile.parent.iterdir()) == sorted(each.name for each in PROFILE.iterdir())


@pytest.mark.parametrize("content", [None, "not = [toml", "[application]\n"])
def test_a_profile_that_cannot_be_read_is_a_wrong_call(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "profile.toml").write_text(content)
    assert main(["--backups", str(tmp_path), "--continue", str(tmp_path)]) == 4
    told = capsys.readouterr().err
    assert str(tmp_path / "profile.toml") in told
    assert "--into DIR" in told
