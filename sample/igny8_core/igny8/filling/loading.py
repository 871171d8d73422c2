"""Streaming rows into an empty, migrated database, and leaving it as an application that ran would have."""

from collections.abc import Iterable, Iterator

import psycopg
from psycopg import sql

from . import invoicing, ledger, people, publishing, trail, writing
from .outline import Outline
from .rows import Rows

# Their owner is under their policies too, and COPY refuses such tables: lifted while they are filled.
FORCED = ("igny8_invoices", "igny8_credit_ledger")


class NotEmpty(Exception):
    """The database already holds tenants; filling it would mix two sets of data."""


def load(connection: psycopg.Connection, outline: Outline) -> None:
    """Fills the database that `connection` (autocommit, the owner of its tables) is on; raises NotEmpty."""
    if connection.execute("SELECT EXISTS (SELECT FROM public.igny8_tenants)").fetchone() != (False,):
        raise NotEmpty(f"{connection.info.dbname} already has tenants; fill a newly migrated database instead")
    _force(connection, "NO FORCE")
    try:
        _large_objects(connection, writing.large_objects(outline))
        for rows in _tables(outline, _content_types(connection)):
            _copy(connection, rows)
            _follow(connection, rows)
    finally:
        _force(connection, "FORCE")
    connection.execute("REFRESH MATERIALIZED VIEW igny8_reports.site_content")
    connection.execute("ANALYZE")


def _tables(outline: Outline, content_types: dict[str, int]) -> Iterator[Rows]:
    yield from people.tables(outline)
    yield from publishing.tables(outline)
    yield from writing.tables(outline)
    yield from invoicing.tables(outline)
    yield from ledger.tables(outline)
    yield from trail.tables(outline, content_types)


def _copy(connection: psycopg.Connection, rows: Rows) -> None:
    statement = sql.SQL("COPY public.{} ({}) FROM STDIN").format(
        sql.Identifier(rows.table), sql.SQL(", ").join(map(sql.Identifier, rows.columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows.rows:
            copy.write_row(row)


def _follow(connection: psycopg.Connection, rows: Rows) -> None:
    """COPY leaves a sequence where it was: the next value has to come after the last row."""
    if rows.key is None:
        return
    table = sql.Identifier("public", rows.table)
    connection.execute(
        sql.SQL(
            "SELECT setval(pg_get_serial_sequence({name}, {column}), coalesce(max({key}), 1), max({key}) IS NOT NULL)"
            " FROM {table}"
        ).format(name=table.as_string(connection), column=rows.key, key=sql.Identifier(rows.key), table=table)
    )


def _force(connection: psycopg.Connection, verb: str) -> None:
    for table in FORCED:
        connection.execute(
            sql.SQL("ALTER TABLE public.{} {} ROW LEVEL SECURITY").format(sql.Identifier(table), sql.SQL(verb))
        )


def _large_objects(connection: psycopg.Connection, objects: Iterable[tuple[int, bytes]]) -> None:
    with connection.transaction():
        for oid, content in objects:
            connection.execute("SELECT lo_from_bytea(%s::oid, %s)", (oid, content))


def _content_types(connection: psycopg.Connection) -> dict[str, int]:
    found = connection.execute(
        "SELECT model, id FROM public.django_content_type WHERE app_label = 'igny8' AND model = ANY(%s)",
        (list(trail.NOTED),),
    )
    return dict(found.fetchall())
