"""A Ray cluster of several nodes on this machine, each of which can be killed and started again."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from tests.cluster.conftest import BIN, free_port
from tests.faults.processes import MARK, kill, marked, wait_for
from tests.store.conftest import ENVIRONMENT as STORE_ACCESS

STARTED = "Ray runtime started"
ATTEMPTS = 3
"""How often a node is started: Ray gives its raylet 30 s, which a busy machine may need more of."""


class Node:
    """The processes of ``ray start``, which end together."""

    def __init__(self, *options: str, environment: dict[str, str]) -> None:
        for _ in range(ATTEMPTS):
            told = self._start(options, environment)
            if STARTED in told:
                return
        raise AssertionError(f"the node did not start: {told}")

    def _start(self, options: Sequence[str], environment: dict[str, str]) -> str:
        """Start, or fail to; returns what it said until then."""
        self.mark = uuid4().hex
        self._process = subprocess.Popen(
            [str(BIN / "ray"), "start", *options, "--disable-usage-stats", "--block"],
            env=environment | {MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        told = []
        for line in self._process.stdout:
            told.append(line)
            if STARTED in line:
                break
        return "".join(told)

    def kill(self, program: str = "") -> None:
        """End all its processes at once, as a power cut does, or only ``program``."""
        assert kill(self.mark, program), f"there is no {program or 'process'} to kill"
        if not program:
            self.gone()

    def terminate(self, grace: float) -> None:
        """Ask all its processes to end, and kill those that are there after ``grace`` seconds."""
        kill(self.mark, number=signal.SIGTERM)
        try:
            self.gone(grace)
        except (AssertionError, subprocess.TimeoutExpired):
            self.kill()

    def gone(self, seconds: float = 60) -> None:
        """Wait until none of its processes is left."""
        self._process.wait(seconds)
        wait_for(lambda: not marked(self.mark), "the end of a node", seconds)

    @property
    def lives(self) -> bool:
        return bool(marked(self.mark))


class Nodes:
    """A head, on which nothing runs, and workers of one CPU."""

    def __init__(self, folder: Path) -> None:
        token = folder / "token"
        token.write_text(secrets.token_hex(32))
        self._folder, self._port = folder, free_port()
        ours = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
        self.environment = {
            **ours,
            **STORE_ACCESS,
            "RAY_ADDRESS": f"127.0.0.1:{self._port}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "OMP_NUM_THREADS": "1",
        }
        self._nodes: dict[str, Node] = {}

    @property
    def head(self) -> Node:
        return self._nodes["head"]

    def complete(self) -> None:
        """Start the head, and the workers ``one`` and ``two``, unless they are there."""
        if not self._lives("head"):
            self.kill()  # its workers never join another head
            self._start_head()
        for name in ("one", "two"):
            if not self._lives(name):
                self._start_worker(name)

    def node_of(self, pid: int) -> Node:
        """Return the node that a process is on."""
        return next(node for node in self._nodes.values() if pid in marked(node.mark))

    def kill(self) -> None:
        """End everything at once."""
        for node in self._nodes.values():
            if node.lives:
                node.kill()

    def _lives(self, name: str) -> bool:
        return name in self._nodes and self._nodes[name].lives

    def _start_head(self) -> None:
        options = ["--head", f"--port={self._port}", "--num-cpus=0", "--node-name=head"]
        options += [f"--temp-dir={self._folder / 'ray'}", "--include-dashboard=false"]
        options += [f"--dashboard-agent-listen-port={free_port()}"]
        node = {k: v for k, v in self.environment.items() if k != "RAY_ADDRESS"}
        self._nodes["head"] = Node(*options, environment=node)

    def _start_worker(self, name: str) -> None:
        options = [f"--address=127.0.0.1:{self._port}", "--num-cpus=1", f"--node-name={name}"]
        options += [f"--dashboard-agent-listen-port={free_port()}"]
        self._nodes[name] = Node(*options, environment=self.environment)
