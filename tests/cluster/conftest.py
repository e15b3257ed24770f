"""A real cluster of one node, with a token, as ``ray start`` makes it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Cluster:
    address: str
    store: Path
    environment: dict[str, str]

    def client(self, *command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command as somebody who has the token and none of the cluster's own settings."""
        return subprocess.run(
            command,
            cwd=folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=180,
        )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    # Ray's sockets lie in there, whose names may have 107 characters.
    folder = Path(mkdtemp(prefix="ps-", dir="/tmp"))
    token = folder / "token"
    token.write_text(secrets.token_hex(32))
    ours = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    client = {
        **ours,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "OMP_NUM_THREADS": "1",
    }
    client.pop("MLFLOW_TRACKING_URI", None)
    store = folder / "store"
    node = client | {
        "PRUNESWEEP_STORE": str(store),
        "RAY_JOB_STOP_WAIT_TIME_S": "60",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    }
    dashboard, ray = free_port(), str(BIN / "ray")
    start = [ray, "start", "--head", f"--port={free_port()}", "--num-cpus=2"]
    start += [f"--dashboard-port={dashboard}", f"--temp-dir={folder / 'ray'}"]
    start += [f"--dashboard-agent-listen-port={free_port()}"]
    # --block keeps all of the node's processes below this one, which ends them with itself.
    head = subprocess.Popen(
        [*start, "--disable-usage-stats", "--block"],
        env=node,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{dashboard}"
        _await(address, token.read_text())
        yield Cluster(address, store, client)
    finally:
        head.terminate()
        head.wait(60)
        rmtree(folder, ignore_errors=True)


def _await(address: str, token: str) -> None:
    """Wait until the Jobs API lets its clients in."""
    import time
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    request = Request(f"{address}/api/version", headers={"Authorization": f"Bearer {token}"})
    deadline = time.monotonic() + 60
    while True:
        try:
            urlopen(request, timeout=5).read()
            return
        except (URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
