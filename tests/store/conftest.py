"""A real S3-compatible server, which counts what it is asked and can be made to fail."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "an-access-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret-key",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "us-east-1",
}
Answer = tuple[str, bytes]


@dataclass
class S3Server:
    """moto behind a socket; its objects outlive a time without a listener."""

    application: Any
    asked: list[str] = field(default_factory=list)
    failure: Callable[[str], Answer | None] = lambda kind: None
    port: int = 0

    def start(self) -> None:
        """Listen, on the port of the last time."""
        from werkzeug.serving import make_server

        self._server = make_server("127.0.0.1", self.port, self._answer, threaded=True)
        self.port = self._server.port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kind = environ["REQUEST_METHOD"]
        if kind == "GET" and "list-type" in environ["QUERY_STRING"]:
            kind = "LIST"
        self.asked.append(kind)
        if told := self.failure(kind):
            status, body = told
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(status, [("Content-Length", str(len(body)))])
            return [body if kind != "HEAD" else b""]
        answer: Iterable[bytes] = self.application(environ, start)
        return answer

    def place(self, bucket: str, name: str, content: bytes) -> None:
        """Put an object without asking for it."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, name, content)

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """Count the requests by kind until the end of the block."""
        counts: Counter[str] = Counter()
        first = len(self.asked)
        yield counts
        counts.update(self.asked[first:])

    def restart_after(self, seconds: float) -> None:
        """Refuse connections for some seconds."""
        self.stop()
        time.sleep(seconds)
        self.start()

    @contextmanager
    def away_for(self, seconds: float) -> Iterator[None]:
        """Refuse connections for some seconds from the start of the block."""
        self.stop()
        timer = threading.Timer(seconds, self.start)
        timer.start()
        try:
            yield
        finally:
            timer.join()


@pytest.fixture(scope="session")
def listening() -> Iterator[S3Server]:
    pytest.importorskip("moto", reason="needs moto[server], which is in the extra 'dev'")
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server(DomainDispatcherApplication(create_backend_app))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(listening: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """The server, in order, with credentials for it in the environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield listening
    listening.failure = lambda kind: None


@pytest.fixture
def bucket_uri(s3: S3Server) -> str:
    """The URI of a folder in an empty bucket."""
    from pyarrow import fs

    name = f"bucket-{uuid4().hex[:12]}"
    host = f"127.0.0.1:{s3.port}"
    maker = fs.S3FileSystem(endpoint_override=host, scheme="http", allow_bucket_creation=True)
    maker.create_dir(name)
    return f"s3://{name}/a/store?endpoint_override=http://{host}&scheme=http&retry_seconds=20"
