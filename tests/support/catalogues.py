"""Small catalogues written by hand: facts for what is derived from them, without a database."""

from fixtures.record.facts import Column, DatabaseRole, Facts, ForeignKey, Table
from fixtures.record.names import TableName


def table(name: str, *columns: str, key: tuple[str, ...] = ("id",), partition: bool = False) -> Table:
    """A table with these columns beside its key; `column?` may be empty."""
    return Table(
        name=TableName.parse(name),
        kind="table",
        owner="owner",
        columns=tuple(
            Column(name=column.rstrip("?"), type="bigint", nullable=column.endswith("?"), generated=False)
            for column in (*key, *columns)
        ),
        primary_key=key,
        rows=0,
        populated=True,
        partition=partition,
        unlogged=False,
        row_security=False,
        row_security_forced=False,
    )


def points(source: str, columns: str, target: str, to: str = "id", name: str = "") -> ForeignKey:
    """A foreign key; several columns are separated by commas."""
    return ForeignKey(
        name=name or f"{source}_{columns}_fk",
        table=TableName.parse(source),
        columns=tuple(columns.split(",")),
        target=TableName.parse(target),
        target_columns=tuple(to.split(",")),
        validated=True,
    )


def role(name: str, *member_of: str, superuser: bool = False, bypasses: bool = False) -> DatabaseRole:
    return DatabaseRole(name=name, login=True, superuser=superuser, bypasses_row_security=bypasses, member_of=member_of)


def facts(*tables: Table, foreign_keys: tuple[ForeignKey, ...] = (), roles: tuple[DatabaseRole, ...] = ()) -> Facts:
    return Facts(
        tables=tables,
        foreign_keys=foreign_keys,
        constraints=(),
        indexes=(),
        triggers=(),
        sequences=(),
        policies=(),
        roles=roles,
        grants=(),
        extensions=(),
        large_objects=0,
    )
