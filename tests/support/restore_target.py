"""Restores sets as a drill does, each into a database of its own."""

from dataclasses import dataclass
from pathlib import Path

from fixtures.record.restored import Restored
from fixtures.restore.restore import restore
from fixtures.restore.roles import RolesFile
from fixtures.restore.roles_file import read_roles_file
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from tests.support.small_source import made_ready


@dataclass
class Target:
    server: Server
    guardian: Guardian
    number: int = 0

    def load(self, backups: Path, *, roles: bool = True, minutes: float = 2, server: Server | None = None) -> Restored:
        """As a drill does it."""
        self.number += 1
        ready = made_ready(backups, self.server, self.guardian)
        paths = ready.located.paths
        roles_file = read_roles_file(paths["roles"]) if roles and "roles" in paths else RolesFile()
        return restore(
            server or self.server,
            ready.dump,
            ready.inspected,
            self.guardian,
            roles=roles_file,
            limit_minutes=minutes,
            database=self.database,
        )

    @property
    def database(self) -> str:
        return f"restored_{self.number}"

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with self.server.connect(self.database) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]
