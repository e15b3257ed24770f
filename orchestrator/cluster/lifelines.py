"""Notices that what a driver depends on is gone: the head of the cluster, or its own node's raylet.

Ray ends the driver for that too, but at once, without a word that helps and none to MLflow.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ray

from orchestrator.cluster.errors import ClusterLostError

BETWEEN, TIMEOUT = 1.0, 2.0
HEAD_PATIENCE = 20.0  # Ray's own is a minute
RAYLET_PATIENCE = 2.0  # Ray may end the driver with the next call


@dataclass(frozen=True)
class Lifeline:
    """A process that must answer at ``address`` (host:port) at least every ``patience`` seconds."""

    name: str
    address: str
    patience: float


class Lifelines:
    """Looks at some lifelines, now and then."""

    def __init__(
        self, lines: Sequence[Lifeline], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with all of ``lines`` having just answered."""
        self._clock = clock
        self._looked = clock()
        self._answered = dict.fromkeys(lines, self._looked)

    def check(self) -> None:
        """Look whether all answer, if the last look is ``BETWEEN`` seconds ago.

        Raises:
            ClusterLostError: one of them has not for as long as it may.

        """
        if self._clock() - self._looked < BETWEEN:
            return
        for line, answered in self._answered.items():
            if _answers(line.address):
                self._answered[line] = self._clock()
            elif self._clock() - answered > line.patience:
                raise ClusterLostError(
                    f"{line.name} at {line.address} is gone, it has not answered for "
                    f"{line.patience:g} s: what was committed is kept; once the cluster is up "
                    "again, run the same command"
                )
        self._looked = self._clock()


def lifelines() -> Lifelines:
    """Watch the head, and the raylet that this driver is connected to."""
    context = ray.get_runtime_context()
    (node,) = (node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    raylet = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
    return Lifelines(
        [
            Lifeline("Ray's head", context.gcs_address, HEAD_PATIENCE),
            Lifeline("the raylet of this machine", raylet, RAYLET_PATIENCE),
        ]
    )


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT):
            return True
    except OSError:
        return False
