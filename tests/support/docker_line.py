"""A line to Docker that can be lost, while Docker itself goes on for everybody else."""

import contextlib
import socket
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ENGINE = "/var/run/docker.sock"


class _Passing(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        line = self.server
        assert isinstance(line, _Line)
        with socket.socket(socket.AF_UNIX) as far:
            far.connect(_ENGINE)
            line.ends |= {far, self.request}
            there = threading.Thread(target=_pass, args=(self.request, far), daemon=True)
            there.start()
            _pass(far, self.request)
            there.join()
            line.ends -= {far, self.request}


class _Line(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    ends: set[socket.socket]


def _pass(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class DockerLine:
    """A socket in front of Docker's, at `address`."""

    def __init__(self, path: Path) -> None:
        self.address = f"unix://{path}"
        self._path = path
        self._server: _Line | None = None

    def open(self) -> None:
        self._server = _Line(str(self._path), _Passing)
        self._server.ends = set()
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def lose(self) -> None:
        """Ends every connection, and nobody answers any more."""
        if self._server is None:
            return
        self._server.shutdown()
        for end in list(self._server.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._server = None
        self._path.unlink()


@contextmanager
def docker_line() -> Iterator[DockerLine]:
    with tempfile.TemporaryDirectory(prefix="rdt-docker-") as folder:
        line = DockerLine(Path(folder) / "docker.sock")
        line.open()
        try:
            yield line
        finally:
            line.lose()
