"""One container: its process, its health, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.cluster.compose import inside
from tests.cluster.compose.image import Image
from tests.cluster.compose.network import entering
from tests.cluster.compose.service import Service

POLL = 1.0
PATIENCE = 4
"""How many times longer than Docker the health check may take, on a machine that others share."""


class ContainerError(Exception):
    """A container did not do what Compose waits for; the message ends with its log."""


@dataclass
class Container:
    """A service with its namespace; ``address`` is empty on the network of the host.

    ``pid`` is that of its init process, as this machine counts.
    """

    name: str
    service: Service
    image: Image
    namespace: str
    address: str
    log: Path
    process: subprocess.Popen[str] | None = None
    pid: int = field(init=False, default=0)

    def start(self, root: Path, binds: list[tuple[str, str, bool]]) -> None:
        """Start it, with its root folder mounted on ``root``."""
        told, tell = os.pipe()
        task = inside.Task(
            ready=tell,
            root=str(root),
            programs=self.image.root,
            binds=binds,
            folders=self.image.folders,
            hostname=self.name,
            shared_memory=self.service.shared_memory,
            files=self.service.files,
            user=self.image.user,
            environment=self.environment,
            workdir=self.image.workdir,
            command=[*(self.service.entrypoint or self.image.entrypoint), *self.service.command],
        )
        new = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        words = [*entering(self.namespace), *new, sys.executable, str(inside.__file__)]
        with self.log.open("a") as log, os.fdopen(told) as ready:
            self.process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True, pass_fds=[tell]
            )
            os.close(tell)
            assert self.process.stdin
            with self.process.stdin as stdin:
                json.dump(asdict(task), stdin)
            if not ready.read(1):
                raise ContainerError(f"{self.name} did not start\n{self.tail()}")
        outer = self.process.pid
        self.pid = int(Path(f"/proc/{outer}/task/{outer}/children").read_text())

    @property
    def environment(self) -> dict[str, str]:
        """What the image and the service say, the service last."""
        return self.image.environment | self.service.environment | {"HOSTNAME": self.name}

    def execute(self, *command: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command in the container, as ``docker compose exec`` does."""
        user = str(self.image.user)
        spaces = ["--mount", "--pid", "--ipc", "--uts", "--net", "--root"]
        spaces += [f"--wdns={self.image.workdir}"]
        words = ["nsenter", f"--target={self.pid}", *spaces, f"--setuid={user}", f"--setgid={user}"]
        return subprocess.run(
            [*words, *command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def wait_healthy(self) -> None:
        """Ask the health check until it is content.

        Raises:
            ContainerError: it is not.

        """
        assert self.process
        service = self.service
        patience = PATIENCE * (service.start_period + service.interval * service.retries)
        deadline = time.monotonic() + patience
        while (answer := self.execute(*service.health)).returncode:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise ContainerError(f"{self.name} is unhealthy\n{answer.stderr}\n{self.tail()}")
            time.sleep(POLL)

    def wait_completed(self) -> None:
        """Wait for the end.

        Raises:
            ContainerError: it is no success.

        """
        assert self.process
        if code := self.process.wait():
            raise ContainerError(f"{self.name} exited with {code}\n{self.tail()}")

    def stop(self) -> bool:
        """Ask it to end, within its grace, and say whether it did; after that it is killed."""
        if self.process is None or self.process.poll() is not None:
            return True
        os.kill(self.pid, signal.Signals[f"SIG{self.image.stop_signal}"])
        try:
            self.process.wait(self.service.grace)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            self.process.wait()
            return False
        return True

    def tail(self) -> str:
        """The end of what it said."""
        return self.log.read_text(errors="replace")[-3000:]
