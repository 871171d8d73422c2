"""Real stores on this machine for the tests: S3, SFTP and the web, and a line in front of them that can be cut."""

import contextlib
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3

BUCKET = "igny8-backups"
AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "not-a-secret-of-anybody",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass(frozen=True)
class S3:
    """moto's S3 server, which lists 20 keys at a time. `environment` is what a drill needs to read from it."""

    endpoint: str
    client: Any
    record: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**AWS, "AWS_ENDPOINT_URL": self.endpoint}

    @contextmanager
    def listings(self) -> Iterator[list[str]]:
        """The requests for a list that come in while the block runs, there once it has ended."""
        listed_urls: list[str] = []
        self._recorder("reset")
        self._recorder("start")
        yield listed_urls
        self._recorder("stop")
        if self.record.exists():
            asked = [json.loads(line)["url"] for line in self.record.read_text().splitlines()]
            listed_urls += [url for url in asked if "list-type=2" in url]

    def _recorder(self, does: str) -> None:
        path = f"{self.endpoint}/moto-api/recorder/{does}-recording"
        urllib.request.urlopen(urllib.request.Request(path, method="POST")).close()

    def upload(self, folder: Path, prefix: str = "") -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.client.put_object(
                    Bucket=BUCKET, Key=prefix + path.relative_to(folder).as_posix(), Body=path.read_bytes()
                )

    def empty(self) -> None:
        while objects := self.client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
            for each in objects:
                self.client.delete_object(Bucket=BUCKET, Key=each["Key"])


@contextmanager
def s3_server() -> Iterator[S3]:
    """A process of its own, that asks for credentials and checks nothing but that they are given."""
    port, record = free_port(), Path(tempfile.mkdtemp(prefix="rdt-s3-")) / "requests"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **AWS, "MOTO_S3_DEFAULT_MAX_KEYS": "20", "MOTO_RECORDER_FILEPATH": str(record)},
    )
    try:
        endpoint = f"http://127.0.0.1:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=AWS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=AWS["AWS_SECRET_ACCESS_KEY"],
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                client.create_bucket(Bucket=BUCKET)
                break
            except Exception:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.2)
        yield S3(endpoint, client, record)
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(record.parent)


class _Web(SimpleHTTPRequestHandler):
    """A folder with its list; ranges, an ETag and a password where wanted. It may end at a byte, fall silent after so many
    answers, or call itself another version at each request, as several servers behind one address do."""

    ranges = True
    ends_at: int | None = None
    answers: int | None = None
    restless = False
    authorization = ""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Tests read what drills say, not what servers do."""

    def do_GET(self) -> None:
        self._answer(True)

    def do_HEAD(self) -> None:
        self._answer(False)

    def _answer(self, body: bool) -> None:
        if self.answers is not None:
            if self.answers == 0:
                self.close_connection = True
                return
            type(self).answers = self.answers - 1
        if self.authorization and self.headers.get("Authorization") != self.authorization:
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            (super().do_GET if body else super().do_HEAD)()
            return
        content, start, status = path.read_bytes(), 0, 200
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes=") and self.ranges:
            start, status = int(asked.removeprefix("bytes=").split("-")[0]), 206
        facts = path.stat()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(content) - start))
        of_now = time.monotonic_ns() if self.restless else 0
        self.send_header("ETag", f'"{facts.st_size:x}-{facts.st_mtime_ns + of_now:x}"')
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if body:
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content[start : self.ends_at])
        self.close_connection = self.ends_at is not None


@contextmanager
def web_server(folder: Path, **behaves: object) -> Iterator[int]:
    """Serves a folder, with what the handler `behaves` like; gives its port."""
    handler = type("Handler", (_Web,), behaves)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            serving.join()


@dataclass(frozen=True)
class Ssh:
    """An SFTP server; `environment` is what a drill needs to log in to it as `drill`."""

    port: int
    environment: dict[str, str] = field(repr=False)


@contextmanager
def sftp_server(folder: Path, keys: Path) -> Iterator[Ssh]:
    """Serves a folder as the whole of its file system, to the one user with the one key."""
    keys.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.sftp_host", str(folder), str(keys)],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            yield Ssh(port, {"DRILL_SFTP_KEY": str(keys / "id"), "DRILL_SFTP_KNOWN_HOSTS": str(keys / "known_hosts")})
        finally:
            server.kill()


@dataclass
class Line:
    """A TCP line to a server. It is cut once, or `always`, after so many bytes have come back over one connection."""

    port: int
    after: int
    always: bool
    cuts: int = 0


@contextmanager
def cut_line(target: int, after: int, *, always: bool = False) -> Iterator[Line]:
    """Passes everything on to `target`, and cuts the first connection that has brought `after` bytes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", target)) as far:
                there = threading.Thread(target=self._pass, args=(self.request, far, None), daemon=True)
                there.start()
                self._pass(far, self.request, line)
                for end in (far, self.request):
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)
                there.join()

        def _pass(self, source: socket.socket, target: socket.socket, line: Line | None) -> None:
            passed = 0
            with contextlib.suppress(OSError):
                while piece := source.recv(65536):
                    passed += len(piece)
                    if line is not None and (line.always or not line.cuts) and passed > line.after:
                        line.cuts += 1
                        return
                    target.sendall(piece)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        line = Line(server.server_address[1], after, always)
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield line
        finally:
            server.shutdown()
            serving.join()


@dataclass(frozen=True)
class GoogleStore:
    """An emulator of Google's Cloud Storage. `environment` is what a drill needs to read from it."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return {"STORAGE_EMULATOR_HOST": self.endpoint}

    def upload(self, folder: Path, prefix: str = "") -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = urllib.parse.quote(prefix + path.relative_to(folder).as_posix(), safe="")
                url = f"{self.endpoint}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}"
                headers = {"Content-Type": "application/octet-stream"}
                urllib.request.urlopen(urllib.request.Request(url, path.read_bytes(), headers)).close()


@contextmanager
def google_store() -> Iterator[GoogleStore]:
    """A process of its own that keeps objects in memory and asks for no credentials."""
    port = free_port()
    address = ["--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "gcp_storage_emulator", "start", *address, "--in-memory", "--default-bucket", BUCKET],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/storage/v1/b/{BUCKET}").close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    raise
                time.sleep(0.1)
        yield GoogleStore(f"http://127.0.0.1:{port}")
    finally:
        server.kill()
        server.wait()
