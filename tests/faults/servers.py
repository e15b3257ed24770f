"""An MLflow server and a PostgreSQL below it, each of which can be killed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen
from uuid import uuid4

from tests.cluster.conftest import BIN, free_port
from tests.faults.processes import MARK, kill, marked, wait_for

POSTGRES = Path("/usr/lib/postgresql/15/bin")


class Server:
    """A program that listens on a port of its own, and can be started again on the same one."""

    def __init__(self, *command: str, user: str | None = None, **environment: str) -> None:
        self.mark, self._command, self._user = uuid4().hex, command, user
        self._environment = os.environ | environment | {MARK: self.mark}

    def start(self) -> None:
        """Start, unless it runs, and wait until it answers."""
        if marked(self.mark):
            return
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        wait_for(self._answers, self._command[0], seconds=180)

    def kill(self) -> None:
        """End all its processes at once."""
        if kill(self.mark):
            self._process.wait()
        wait_for(lambda: not marked(self.mark), "the end of a server")

    def _answers(self) -> bool:
        raise NotImplementedError


class Mlflow(Server):
    """``mlflow server`` over the database at ``backend``."""

    def __init__(self, folder: Path, backend: str) -> None:
        port = free_port()
        self.uri = f"http://127.0.0.1:{port}"
        super().__init__(
            *(str(BIN / "mlflow"), "server", "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", backend, "--artifacts-destination", str(folder / "artifacts")),
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
            MLFLOW_DISABLE_TELEMETRY="true",
        )

    def _answers(self) -> bool:
        try:
            return bool(urlopen(f"{self.uri}/health", timeout=5).status == 200)
        except (URLError, OSError):
            return False


class Postgres(Server):
    """PostgreSQL with its files in ``folder``; it refuses to run as root."""

    def __init__(self, folder: Path) -> None:
        self._port, data = free_port(), folder / "postgres"
        user = "postgres" if os.getuid() == 0 else None
        data.mkdir()
        if user:
            shutil.chown(data, user, user)
        options = ["-D", str(data), "-A", "trust", "-U", "mlflow", "--no-sync"]
        subprocess.run([POSTGRES / "initdb", *options], user=user, check=True, capture_output=True)
        self.uri = f"postgresql+psycopg://mlflow@127.0.0.1:{self._port}/postgres"
        super().__init__(
            *(str(POSTGRES / "postgres"), "-D", str(data), "-p", str(self._port)),
            *("-k", str(data), "-c", "listen_addresses=127.0.0.1"),
            user=user,
        )

    def _answers(self) -> bool:
        ready = [POSTGRES / "pg_isready", "-h", "127.0.0.1", "-p", str(self._port)]
        return subprocess.run(ready, capture_output=True).returncode == 0
