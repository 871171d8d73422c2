"""What a store answers instead of the set is told as what it is: a refusal, a wrong clock, too many requests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fixtures.shelf.stores.address import Address, parse_backups
from fixtures.shelf.stores.messages import Trouble
from fixtures.shelf.stores.open_store import open_store
from fixtures.shelf.stores.stock import stock
from fixtures.shelf.stores.troubles import Troubled, is_final
from tests.support.remote_sets import set_environment
from tests.support.stores import AWS


@contextmanager
def s3_that_answers(status: int, code: str) -> Iterator[str]:
    """An endpoint of S3 that answers each request alike, in S3's own form."""
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>as it is</Message></Error>'.encode()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nobody reads what the server did."""

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


@pytest.mark.parametrize(
    ("status", "code", "told", "final"),
    [
        (403, "AccessDenied", "refuses these credentials", True),
        (403, "SignatureDoesNotMatch", "refuses these credentials", True),
        (403, "RequestTimeTooSkewed", "refuses the time of this machine", True),
        (400, "ThrottlingException", "asks for fewer requests", False),
        (404, "NoSuchBucket", "there is nothing to read at", True),
        # The library asks these again, and would wait between.
        pytest.param(503, "SlowDown", "asks for fewer requests", False, marks=pytest.mark.further),
        pytest.param(500, "InternalError", "could not be read", False, marks=pytest.mark.further),
    ],
)
def test_what_s3_answers_is_told_as_what_it_is(
    status: int, code: str, told: str, final: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda _, *told: pause(0, *told))
    with s3_that_answers(status, code) as endpoint:
        set_environment(monkeypatch, {**AWS, "AWS_ENDPOINT_URL": endpoint, "AWS_MAX_ATTEMPTS": "1"})
        address = parse_backups("s3://sets/nightly")
        assert isinstance(address, Address)
        with pytest.raises(Troubled) as caught:
            stock(*open_store(address), address, tmp_path, lambda _: None)
    trouble: Trouble = caught.value.trouble
    assert trouble.state == "blocked"
    assert told in trouble.cause, trouble
    assert "as it is" not in trouble.cause + trouble.fix
    assert isinstance(caught.value.__cause__, Exception)
    assert is_final(address, caught.value.__cause__) is final
