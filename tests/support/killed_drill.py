"""A stand-alone program for the tests: starts what a drill starts, says what, then hangs until it is killed."""

import json
import subprocess
import sys
import time
from pathlib import Path

from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.child import plain_environment, start
from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve


def main() -> None:
    run_id, choice = sys.argv[1:3]
    with Guardian(run_id) as guardian, serve(ServerRequest(run_id, choice, image="postgres:15"), guardian) as server:
        server.create_database("restored")
        role = f"drill_{run_id}_app"
        made = server.may_make_role(role)
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE {role}")
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
        argv = ["sh", "-c", "sleep 600 & sleep 600"]
        child = start(
            argv,
            environment=plain_environment(),
            guardian=guardian,
            label="the application",
            account=unprivileged_account(),
        )
        restore = subprocess.Popen(
            [server.clients.psql, "-qXc", "DO $$ BEGIN LOOP END LOOP; END $$"],
            env=server.environment("restored"),
            stderr=subprocess.DEVNULL,
        )
        started = {
            "guardian": guardian.pid,
            "child": child.process.pid,
            "busy": restore.pid,
            "backend": row[0] if row else None,
            "made_role": made,
            "host": server.host,
            "database": server.database("restored"),
            "role": role,
            "folder": str(Path(server.scratch).parent),
        }
        time.sleep(0.3)
        print(json.dumps(started), flush=True)
        time.sleep(600)


if __name__ == "__main__":
    main()
