"""The MLflow UI on a sweep's tracking store, for as long as the user watches it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from types import FrameType
from typing import IO, Any
from urllib.parse import urlencode

from orchestrator.tracking import TrackingError
from orchestrator.tracking.location import display, is_server

CURVES = "/#/experiments/{}/runs?workflowType=machine_learning&compareRunsMode=CHART"
# A proxy of the environment would look for the server on its own machine.
directly = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve_ui(
    uri: str,
    artifacts: str | None = None,
    experiment: str | None = None,
    host: str = "127.0.0.1",
    port: int = 5000,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the UI until Ctrl-C or SIGTERM; a tracking server has its own, whose address is shown.

    Args:
        uri: what ``resolve_uri`` chose.
        artifacts: where a client of this server may put artifacts.
        experiment: the one whose curves are linked to.
        host: the address to listen on; MLflow asks nobody for a password.
        port: the first port to try; the next free one is taken.
        say: shows one line.

    Raises:
        TrackingError: the server does not start, or no port is free.

    """
    if is_server(uri):
        say(f"MLflow UI: {page(display(uri), experiment)}")
        return
    chosen = free_port(host, port)
    if chosen != port:
        say(f"port {port} is taken, using {chosen}")
    if host not in LOOPBACK:
        say(f"warning: anyone who reaches {host}:{chosen} can read and change these runs")
    address = f"http://{_reachable(host)}:{chosen}"
    with (
        TemporaryFile() as log,
        _stopping_on_sigterm(),
        serving(uri, command(artifacts, host, chosen), log) as server,
    ):
        try:
            if _is_up(server, f"{address}/health"):
                say(f"MLflow UI: {page(address, experiment, directly)}  (Ctrl-C ends it)")
                server.wait()
        except KeyboardInterrupt:
            return
        raise TrackingError(f"the MLflow UI does not run; it said:\n{_tail(log)}")


def command(artifacts: str | None, host: str, port: int) -> list[str]:
    """Spell the server's command line.

    One worker: with more, MLflow 3.17 answers every request 40 ms later, and needs more memory.
    """
    options = {"--host": host, "--port": str(port), "--workers": "1"}
    if artifacts:
        options["--artifacts-destination"] = artifacts
    options["--uvicorn-opts"] = "--log-level warning"
    pairs = [word for pair in options.items() for word in pair]
    return [sys.executable, "-m", "mlflow", "server", *pairs]


def page(
    address: str,
    experiment: str | None,
    opener: Callable[..., Any] = urllib.request.urlopen,
) -> str:
    """Link to the curves of ``experiment``; to the front page while there is none of that name."""
    query = urlencode({"experiment_name": experiment})
    request = f"{address}/api/2.0/mlflow/experiments/get-by-name?{query}"
    try:
        with opener(request, timeout=10) as reply:
            return address + CURVES.format(json.load(reply)["experiment"]["experiment_id"])
    except (OSError, ValueError, KeyError):
        return address


def free_port(host: str, first: int, tries: int = 100) -> int:
    """Return the first port from ``first`` on that nobody listens on.

    Raises:
        TrackingError: none is free, or ``host`` is not an address of this machine.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem: OSError | None = None
    for port in range(first, min(first + tries, 65536)):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                problem = error
            else:
                return port
    raise TrackingError(f"cannot listen on {host} from port {first} on: {problem}")


@contextmanager
def serving(
    uri: str, words: list[str], log: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server on ``uri`` in a process group of its own, and end the whole group at the end.

    Its chatter goes to ``log``; the URI, which may hold a password, not to the command line.
    """
    settings = {
        "MLFLOW_BACKEND_STORE_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Jobs, which no sweep uses, would start seven more processes of 230 MB each.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    server = subprocess.Popen(
        words,
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        stdout=log or subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield server
    finally:
        _end(server)


def _end(server: subprocess.Popen[bytes]) -> None:
    for signum in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, signum)
            server.wait(10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _is_up(server: subprocess.Popen[bytes], health: str, patience: float = 120.0) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with directly(health, timeout=2):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def _tail(log: IO[bytes], lines: int = 10) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])


@contextmanager
def _stopping_on_sigterm() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C, so that no server is left behind."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
