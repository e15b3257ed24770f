"""MLflow is found as a run would find it, or what is wrong is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from orchestrator.cluster.doctor.tracking import check_tracking
from tests.cluster.conftest import free_port


@contextmanager
def server(code: int, body: str) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """Answer every request so, and note its path and its login."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        Thread(target=http.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{http.server_port}", asked
        http.shutdown()


MISSING = '{"error_code": "RESOURCE_DOES_NOT_EXIST"}'
DNS = "Invalid Host header - possible DNS rebinding attack detected"


@pytest.mark.parametrize(
    ("code", "body", "level", "found", "advice"),
    [
        (200, "{}", "ok", "answers, experiment my/sweep is there", ""),
        (404, MISSING, "ok", "answers, my/sweep will be made", ""),
        (404, "no such page", "fail", "not as MLflow does", "correct MLFLOW_TRACKING_URI"),
        (200, "<html>", "fail", "not as MLflow does", "correct MLFLOW_TRACKING_URI"),
        (403, DNS, "fail", "refuses the name '{host}'", "add '{host}' to the --allowed-hosts"),
        (401, "", "fail", "refuses this user (401)", "set MLFLOW_TRACKING_USERNAME"),
        (503, "", "fail", "error 503", "look at the server's log"),
    ],
)
def test_a_tracking_server(code: int, body: str, level: str, found: str, advice: str) -> None:
    with server(code, body) as (host, asked):
        told = check_tracking(f"http://{host}", "my/sweep")
    assert told.level == level
    assert found.format(host=host) in told.found
    assert advice.format(host=host) in told.advice
    assert asked == [("/api/2.0/mlflow/experiments/get-by-name?experiment_name=my%2Fsweep", None)]


def test_a_login_is_used_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(401, "") as (host, asked):
        told = check_tracking(f"http://me:s%2Fcret@{host}/mlflow", "")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "abc")
        check_tracking(f"http://{host}", "")
    assert asked == [
        ("/mlflow/api/2.0/mlflow/experiments/search?max_results=1", "Basic bWU6cy9jcmV0"),
        ("/api/2.0/mlflow/experiments/search?max_results=1", "Bearer abc"),
    ]
    assert "cret" not in str(told)


def test_tracking_that_nobody_serves(tmp_path: Path) -> None:
    port = free_port()
    told = check_tracking(f"http://127.0.0.1:{port}", "mine")
    assert told.found.startswith(f"no answer from http://127.0.0.1:{port} (")
    told = check_tracking(f"postgresql+psycopg://me:secret@127.0.0.1:{port}/mlflow", "mine")
    assert told.level == "fail"
    assert "secret" not in str(told)
    database = tmp_path / "mlflow.db"
    assert check_tracking(f"sqlite:///{database}", "").found == f"{database} will be made"
    database.write_text("no database at all, and long enough to be sure")
    assert "file is not a database" in check_tracking(f"sqlite:///{database}", "").found
