"""Stands between a client and a server, and cuts the connection as soon as the client commits a certain transaction."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fixtures.server import Server


@contextmanager
def cut_at_commit(server: Server, *, delivered: bool, of: bytes = b" RENAME TO ") -> Iterator[int]:
    """The port to connect to. A session is cut in the first commit after it said these words. The commit reaches the server
    where it is to be `delivered`, and its answer never comes back. Where it is not, the server does not see that the client
    is gone, as after a cable was pulled."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        ended = threading.Event()
        thread = threading.Thread(target=_accept, args=(listening, server, delivered, of, ended), daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def _accept(listening: socket.socket, server: Server, delivered: bool, of: bytes, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            client, _ = listening.accept()
            threading.Thread(target=_between, args=(client, server, delivered, of), daemon=True).start()


def _between(client: socket.socket, server: Server, delivered: bool, of: bytes) -> None:
    if server.host.startswith("/"):
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{server.host}/.s.PGSQL.{server.port}")
    else:
        far = socket.create_connection((server.host, server.port))
    back = threading.Thread(target=_pass, args=(far, client), daemon=True)
    back.start()
    begun = False
    with client, far:
        while data := _received(client):
            begun = begun or of in data
            if begun and b"COMMIT" in data:
                client.shutdown(socket.SHUT_RDWR)
                if delivered:
                    far.sendall(data)
                back.join(60)
                return
            far.sendall(data)


def _pass(source: socket.socket, target: socket.socket) -> None:
    while data := _received(source):
        with suppress(OSError):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""
