"""A second cluster on the machine that lets everybody in: what a drill runs must not find it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.child import plain_environment
from fixtures.server import ServerRequest
from fixtures.server.binaries import Binaries, candidates

_STOCK: Mapping[str, str] = {}


@contextmanager
def trusting_cluster(
    superuser: str = "postgres", settings: Mapping[str, str] = _STOCK, **more: str
) -> Iterator[tuple[Path, int]]:
    """Its socket's folder, and its port; `settings` are the server's, `more` goes into its environment."""
    binaries = next(each for each in candidates(ServerRequest("")) if isinstance(each, Binaries)).folder
    account = unprivileged_account()
    who = {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = Path(f"/tmp/rdt-trust-{os.getpid()}")
    folder.mkdir(mode=0o755)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    data = ["-D", str(folder / "data")]
    environment = plain_environment(**more)
    initdb = [str(binaries / "initdb"), *data, "-A", "trust", "-U", superuser, "--no-sync", "--locale=C.UTF-8"]
    subprocess.run(initdb, check=True, capture_output=True, env=environment, cwd="/", **who)  # type: ignore[call-overload]
    chosen = [f"--{name}={value}" for name, value in {"listen_addresses": "127.0.0.1", **settings}.items()]
    server = subprocess.Popen(
        [str(binaries / "postgres"), *data, "-k", str(folder), "-p", str(port), *chosen],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd="/",
        **who,  # type: ignore[call-overload]
    )
    try:
        until = time.monotonic() + 30
        while not (folder / f".s.PGSQL.{port}").exists() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        yield folder, port
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(20)
        shutil.rmtree(folder)
