"""A web server of this machine that keeps what it was asked, for tests of who is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Listener:
    """A web server of this machine, and what it was asked for."""

    port: int
    status: int = 200
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)


@contextmanager
def listening(status: int = 200) -> Iterator[Listener]:
    listener = Listener(0, status)

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            listener.heard.append((self.command, self.path, body))
            self.send_response(listener.status)
            self.end_headers()

        do_GET = do_POST = _take

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
