"""Notices that what a driver depends on is gone: the head of the cluster, or its own node's raylet.

Ray ends the driver for that too, but after a minute, without a word that helps and none to MLflow;
until then its calls do not return. So a thread looks, and ends the process.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM
from threading import Event, Thread

import ray

from orchestrator.cluster.errors import ClusterLostError

BETWEEN, TIMEOUT = 1.0, 2.0
HEAD_PATIENCE = 20.0
RAYLET_PATIENCE = 2.0  # the next call to it may be the last
MISSES = 2
"""Looks in vain, at least: one alone may be a packet that was lost."""
OURS = (EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM)
"""Errors of this side, which tell nothing of the other."""

Abandon = Callable[[ClusterLostError], object]


def end_process(error: Exception) -> None:
    """Say what happened and end this process: there is no other way out of Ray's calls."""
    print(error, file=sys.stderr, flush=True)
    os._exit(1)


@dataclass(frozen=True)
class Lifeline:
    """A process that must answer at ``address`` (host:port) at least every ``patience`` seconds."""

    name: str
    address: str
    patience: float


@contextmanager
def lifelines(abandon: Abandon) -> Iterator[None]:
    """Watch the head and the raylet that this driver is connected to, in a thread.

    When one is gone ``abandon`` is called there, once.
    """
    over = Event()
    thread = Thread(target=watch, args=(_lines(), abandon, over), daemon=True, name="lifelines")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def watch(
    lines: Sequence[Lifeline],
    abandon: Abandon,
    over: Event,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Look every ``BETWEEN`` seconds whether all of ``lines`` answer, until ``over``."""
    answered, misses = dict.fromkeys(lines, clock()), dict.fromkeys(lines, 0)
    while not over.wait(BETWEEN):
        for line, last in answered.items():
            if _answers(line.address):
                answered[line], misses[line] = clock(), 0
                continue
            misses[line] += 1
            if clock() - last > line.patience and misses[line] >= MISSES:
                abandon(
                    ClusterLostError(
                        f"{line.name} at {line.address} is gone, it has not answered for "
                        f"{line.patience:g} s: what was committed is kept; once Ray is up again, "
                        "run the same command"
                    )
                )
                return


def _lines() -> list[Lifeline]:
    context = ray.get_runtime_context()
    (node,) = (node for node in ray.nodes() if node["NodeID"] == context.get_node_id())
    raylet = f"{node['NodeManagerAddress']}:{node['NodeManagerPort']}"
    return [
        Lifeline("Ray's head", context.gcs_address, HEAD_PATIENCE),
        Lifeline("Ray's raylet on this machine", raylet, RAYLET_PATIENCE),
    ]


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT):
            return True
    except OSError as error:
        return error.errno in OURS
