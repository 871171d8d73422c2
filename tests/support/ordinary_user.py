"""A stand-alone program for the tests: a whole server, as whoever runs it."""

import os

from fixtures.sandbox.child import run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import network_isolation
from fixtures.server.binaries import Binaries
from fixtures.server.choose import first_fit
from fixtures.server.local import local_server
from fixtures.server.request import ServerRequest


def main() -> None:
    assert os.geteuid() != 0
    print("uid is not root")
    request = ServerRequest("0123abcd", "local", extensions=("pgcrypto",))
    fit, unfit = first_fit(request)
    assert isinstance(fit, Binaries), unfit
    with Guardian("0123abcd") as guardian:
        with local_server(fit, request, guardian) as server:
            isolation = network_isolation(server.host)
            print(isolation.kind)
            done = run_child(
                [str(server.clients.psql), "-XAtc", "SELECT 1"],
                environment=server.environment("postgres"),
                guardian=guardian,
                account=server.account,
                isolation=isolation,
                view=server.view(),
            )
            assert done.stdout == ("1",), done.stderr
            print("server reached")
        assert all(trace.gone for trace in guardian.leftovers())
    print("all gone")


if __name__ == "__main__":
    main()
