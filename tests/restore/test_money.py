"""Money is read as it was written, or the restore is blocked: no dump says how many decimals its server's money has."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from fixtures.commands.backup import Source, take_backup
from fixtures.dump.archive_toc import read_archive
from fixtures.dump.format import Inspected
from fixtures.dump.money_text import MoneyColumns, MoneyText
from fixtures.dump.plain_dump import read_script
from fixtures.record.contents import MoneyWritten
from fixtures.record.manifest import Manifest
from fixtures.record.names import TableName
from fixtures.record.stage import StageBlocked
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.load_order import loading
from fixtures.restore.restore import restore
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from fixtures.server.money_written import as_under_c, has_cents
from tests.support.dump_formats import FORMATS, dump_as
from tests.support.further import first_of
from tests.support.kept_server import kept_server
from tests.support.plain_dumps import HEAD, TAIL
from tests.support.programs import missing, program
from tests.support.small_source import another_server, made_ready
from tests.support.trusting_cluster import trusting_cluster

DEFINED = """
CREATE DOMAIN public.price AS money;
CREATE TYPE public.line AS (amount public.price, pieces integer);
CREATE TABLE public.paid (id integer, note text, amount public.price, amounts money[], line public.line);
"""
ROWS = "COPY public.paid (id, note, amount, amounts, line) FROM stdin;\n{}\\.\n"
NULLS = "\\N\t\\N\t\\N\n"
UNDER_C = {
    "an amount": "1\t$1.234\t-$1,234,567.50\t\\N\t\\N\n",
    "an amount behind a null": f"1\ta\t{NULLS}2\tb\t$0.00\t\\N\t\\N\n",
    "an array": '1\ta\t\\N\t{"$1,234.00",$5.00}\t\\N\n',
    "a part of a type": '1\ta\t\\N\t\\N\t("$1,234.00",17)\n',
    "a type without that part": "1\ta\t\\N\t\\N\t(,17)\n",
    "as es_PR writes it": "1\ta\t$ 1,234.50\t\\N\t\\N\n",
    "nothing": "",
}
# As es_CO, fr_CA, ja_JP and de_DE write them, and where pesos have no decimals: C reads the first three without a word.
ELSEWHERE = {
    "pesos": "1\ta\t$ 12,50\t\\N\t\\N\n",
    "dollars behind": "1\ta\t12,50 $\t\\N\t\\N\n",
    "no decimals": "1\ta\t$1.234\t\\N\t\\N\n",
    "thousands": "1\ta\t$ 1.234,50\t\\N\t\\N\n",
    "yen": "1\ta\t\uffe51,234\t\\N\t\\N\n",
    "euros": "1\ta\t12,50 €\t\\N\t\\N\n",
    "an array of pesos": "1\ta\t\\N\t{$1.234}\t\\N\n",
    "pesos in a type": "1\ta\t\\N\t\\N\t($1.234,17)\n",
}
INSERTED = "INSERT INTO public.paid VALUES (1, 'a\nb', {}, NULL, NULL);\n"


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Server, Guardian]]:
    with Guardian("5a7ed0c5") as guardian, kept_server() as server:
        yield server, guardian


@pytest.mark.parametrize("rows", [*map(ROWS.format, UNDER_C.values()), INSERTED.format("'$12.50'")])
def test_money_under_c_is_no_lack(rows: str) -> None:
    assert shown(rows).otherwise is None


@pytest.mark.parametrize("rows", [*map(ROWS.format, ELSEWHERE.values()), INSERTED.format("'$1.234'")])
def test_money_of_another_locale_is_told_from_its_first_value(rows: str) -> None:
    text = shown(rows + ROWS.format(UNDER_C["an amount"]))
    assert text.otherwise is not None


def shown(rows: str) -> MoneyText:
    paid = MoneyColumns(
        ("id", "note", "amount", "amounts", "line"), frozenset({"amount", "amounts"}), frozenset({"line"})
    )
    text = MoneyText({TableName("public", "paid"): paid})
    for line in rows.splitlines(keepends=True):
        text.take(line.encode())
    return text


@pytest.mark.parametrize("held", first_of(["pesos in a type", "yen", "pesos", "an array of pesos"]))
def test_a_plain_dump_with_money_of_another_locale_blocks_the_restore(
    target: tuple[Server, Guardian], held: str, tmp_path: Path
) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + DEFINED + ROWS.format(ELSEWHERE[held]) + TAIL)
    with pytest.raises(StageBlocked, match=r"public\.paid has money in the column \w+ that was written") as blocked:
        load(target, dump, read_script(dump))
    assert "SHOW lc_monetary" in blocked.value.fix


def test_a_definition_with_money_of_another_locale_blocks_the_restore(
    target: tuple[Server, Guardian], tmp_path: Path
) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + "CREATE TABLE public.paid (amount money DEFAULT '¥1'::money);\n" + TAIL)
    with pytest.raises(StageBlocked, match="holds money as another lc_monetary than C writes it"):
        load(target, dump, read_script(dump))


def test_a_damaged_amount_among_others_is_a_fault_of_the_dump(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + DEFINED + ROWS.format(UNDER_C["an amount"] + "2\ta\t$1z0.00\t\\N\t\\N\n") + TAIL)
    with pytest.raises(RestoreFailed, match="invalid input syntax for type money"):
        load(target, dump, read_script(dump))
    target[0].drop_database("restored")


@pytest.mark.further
def test_an_archive_is_looked_at_as_well(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    server, guardian = target
    server.create_database("paid")
    with server.connect("paid") as connection:
        connection.execute(DEFINED.encode())
        connection.execute("INSERT INTO paid SELECT g, 'a', 1234.5::money, '{}', NULL FROM generate_series(1, 9) g")
    written = dump_as(FORMATS["tar"], server.clients, server.environment("paid"), tmp_path, "shop_20260101")
    dump = server.scratch / "paid.tar"
    for replaced in (b"$1,234.50", b"$1.234,50"):
        dump.write_bytes(written.read_bytes().replace(b"$1,234.50", replaced))
        dump.chmod(0o644)
        read = replace(read_archive(dump, guardian, account=unprivileged_account()), seekable=False)
        if replaced == b"$1,234.50":
            load(target, dump, read)
            with server.connect("restored") as connection:
                assert connection.execute("SELECT sum(amount)::numeric FROM paid").fetchone() == (11110.5,)
            server.drop_database("restored")
        else:
            with pytest.raises(StageBlocked, match="column amount that was written under another lc_monetary"):
                load(target, dump, read)


def test_a_server_that_reads_money_otherwise_is_told_to_read_it_as_the_drill_does(
    target: tuple[Server, Guardian],
) -> None:
    server, _ = target
    server.create_database("elsewhere")
    with server.connect() as connection:
        connection.execute("ALTER DATABASE elsewhere SET lc_monetary = 'POSIX'")
    ask = [str(server.clients.psql), "--no-psqlrc", "-Atc", "SHOW lc_monetary"]
    for environment, reads in ((server.environment("elsewhere"), "POSIX"), (loading(server, "elsewhere", None), "C")):
        done = subprocess.run(ask, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == reads


@pytest.fixture(scope="module")
def bogota(target: tuple[Server, Guardian]) -> Iterator[dict[str, str]]:
    """The address of a cluster that has the locale es_CO, and money in a database that is set to it."""
    locales = target[0].scratch / "locales"
    locales.mkdir(mode=0o755)
    made = [program("localedef", "locales"), "-i", "es_CO", "-f", "UTF-8", str(locales / "es_CO.UTF-8")]
    if subprocess.run(made, capture_output=True).returncode:
        missing("left out: no locales to make one of (Debian: apt-get install locales)")
    with trusting_cluster(LOCPATH=str(locales)) as (folder, port):
        address = {"host": str(folder), "port": str(port), "user": "postgres", "dbname": "paying"}
        with psycopg.connect(**{**address, "dbname": "postgres"}, autocommit=True) as connection:
            connection.execute("CREATE DATABASE paying")
            connection.execute("ALTER DATABASE paying SET lc_monetary = 'es_CO.UTF-8'")
        with psycopg.connect(**address, autocommit=True) as connection:
            connection.execute("CREATE TABLE paid (amount money DEFAULT '$ 7,25')")
            connection.execute("INSERT INTO paid VALUES ('$ 12,50'), ('-$ 1.234,56'), (NULL)")
        yield address


def backed_up(address: dict[str, str], into: Path) -> tuple[Path, MoneyWritten | None, list[str]]:
    """A set of it, how its manifest says that it writes money, and what was said meanwhile."""
    said: list[str] = []
    taken = take_backup(Source(address), into, application="small", sites_data=None, remark=said.append)
    manifest = Manifest.model_validate_json((taken / f"{taken.name}.manifest.json").read_text())
    assert manifest.contents is not None
    return taken, manifest.contents.money, said


@pytest.mark.further
def test_a_source_of_another_locale_is_told_when_it_is_backed_up_and_when_it_is_drilled_without_it(
    target: tuple[Server, Guardian], bogota: dict[str, str], tmp_path: Path
) -> None:
    taken, money, (only,) = backed_up(bogota, tmp_path)
    assert only.startswith("The dump holds money as lc_monetary es_CO.UTF-8 of this database writes it")
    assert "public.paid" in only
    ready = made_ready(taken, *target)
    for known, lacks, fix in (
        (None, "or not at all$", "SHOW lc_monetary"),
        (money, "has no locale es_CO.UTF-8, which the source has$", "localedef -i es_CO -f UTF-8 es_CO.UTF-8"),
    ):
        with pytest.raises(StageBlocked, match=rf"public\.paid has money in the column amount .*{lacks}") as blocked:
            load(target, ready.dump, ready.inspected, known)
        assert fix in blocked.value.fix


@pytest.mark.further
def test_money_of_another_locale_is_read_as_it_was_written_where_the_drills_server_has_it(
    bogota: dict[str, str], tmp_path: Path
) -> None:
    taken, money, _ = backed_up(bogota, tmp_path / "sets")
    assert money is not None
    url = f"postgresql://{bogota['user']}@/postgres?host={bogota['host']}&port={bogota['port']}"
    with another_server(ServerRequest("5a7ed0c6", url, superuser=True)) as there:
        ready = made_ready(taken, *there)
        load(there, ready.dump, ready.inspected, money)
        with there[0].connect("restored") as connection:
            connection.execute("INSERT INTO paid DEFAULT VALUES")
            amounts = connection.execute("SELECT amount::numeric FROM paid ORDER BY 1").fetchall()
        assert amounts == [(Decimal("-1234.56"),), (Decimal("7.25"),), (Decimal("12.50"),), (None,)]
        there[0].drop_database("restored")

        otherwise = money.model_copy(update={"samples": ("1.234,56 $", "-1,00 $")})
        with pytest.raises(StageBlocked, match=r"writes money otherwise under es_CO\.UTF-8 than the source does"):
            load(there, ready.dump, ready.inspected, otherwise)

        under_c = tmp_path / "dump.sql"
        under_c.write_text(HEAD + DEFINED + ROWS.format(UNDER_C["an amount"]) + TAIL)
        with pytest.raises(
            StageBlocked, match=r"written under lc_monetary C, and the manifest says that the source has es"
        ):
            load(there, under_c, read_script(under_c), money)


@pytest.mark.parametrize(
    ("samples", "cents"),
    [(("$ 1.234,56", "-$ 1,00"), True), (("1 234,56 €", "-1,00 €"), True), (("¥1,235", "-¥1"), False)],
)
def test_money_without_cents_is_not_read_by_a_drill_that_counts_in_cents(samples: tuple[str, ...], cents: bool) -> None:
    written = MoneyWritten(lc_monetary="xx_XX", samples=samples)
    assert has_cents(written) == cents
    assert not as_under_c(written)


def load(target: tuple[Server, Guardian], dump: Path, inspected: Inspected, money: MoneyWritten | None = None) -> None:
    server, guardian = target
    restore(server, dump, inspected, guardian, limit_minutes=1, money=money)
