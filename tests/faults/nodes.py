"""A Ray cluster of several nodes on this machine, each of which can be killed and started again."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path
from uuid import uuid4

from tests.cluster.conftest import BIN, free_port
from tests.faults.processes import MARK, kill, marked, wait_for


class Node:
    """The processes of ``ray start``, which end together."""

    def __init__(self, *options: str, environment: dict[str, str]) -> None:
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
            if "Ray runtime started" in line:
                return
        raise AssertionError(f"the node did not start: {''.join(told)}")

    def kill(self, program: str = "") -> None:
        """End all its processes at once, as a power cut does, or only ``program``."""
        assert kill(self.mark, program), f"there is no {program or 'process'} to kill"
        if not program:
            self.gone()

    def gone(self) -> None:
        """Wait until none of its processes is left."""
        self._process.wait(60)
        wait_for(lambda: not marked(self.mark), "the end of a node")

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
        self.environment = ours | {
            "RAY_ADDRESS": f"127.0.0.1:{self._port}",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "OMP_NUM_THREADS": "1",
        }
        self.head: Node
        self.workers: dict[str, Node] = {}

    def start_head(self) -> None:
        """Start the head."""
        node = {k: v for k, v in self.environment.items() if k != "RAY_ADDRESS"}
        options = ["--head", f"--port={self._port}", "--num-cpus=0", "--node-name=head"]
        options += [f"--temp-dir={self._folder / 'ray'}", "--include-dashboard=false"]
        self.head = Node(*options, f"--dashboard-agent-listen-port={free_port()}", environment=node)

    def start_worker(self, name: str) -> None:
        """Add a node of one CPU."""
        options = [f"--address=127.0.0.1:{self._port}", "--num-cpus=1", f"--node-name={name}"]
        options += [f"--dashboard-agent-listen-port={free_port()}"]
        self.workers[name] = Node(*options, environment=self.environment)

    def complete(self) -> None:
        """Start the head, and the workers ``one`` and ``two``, unless they are there."""
        if not self.head.lives:
            self.kill()  # its workers never join another head
            self.start_head()
        for name in ("one", "two"):
            if name not in self.workers or not self.workers[name].lives:
                self.start_worker(name)

    def node_of(self, pid: int) -> Node:
        """Return the worker that a process is on."""
        return next(node for node in self.workers.values() if pid in marked(node.mark))

    def kill(self) -> None:
        """End everything at once."""
        for node in (*self.workers.values(), self.head):
            if node.lives:
                node.kill()
