"""What a trial is given, a store and a place to run, and what it tells while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Record = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Where and how fast a trial runs; nothing here enters a key.

    On the CPU, numbers depend on ``threads`` in their last bits and on nothing else here.
    ``decoders`` threads read the images that do not lie on the device. ``revision`` is the git
    revision of the sweep, for the record.
    """

    device: str = "auto"
    threads: int = 1
    decoders: int = 1
    data_root: Path = Path("data")
    cache: Path = Path("cache")
    checkpoint_seconds: float = 30.0
    revision: str = ""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one network costs: seconds on this machine with one worker, bytes in the store.

    ``input_bytes`` is not in the store but in the cache: one corrupted copy of the test split.
    ``start_seconds`` pass until a worker has loaded the data.
    """

    epoch_seconds: float
    cell_seconds: float
    network_bytes: int
    cell_bytes: int
    input_bytes: int
    start_seconds: float = 0.0


class Scratch(Protocol):
    """Room for the half-done work of one key; emptied when the key is committed."""

    def read(self) -> bytes | None:
        """Return what was last written, or None."""
        ...

    def write(self, content: bytes) -> None:
        """Replace the content atomically."""
        ...


class Store(Protocol):
    """The content-addressed store, as a trial uses it."""

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is committed."""
        ...

    def record(self, key: str) -> Record:
        """Return the record that committed ``key``."""
        ...

    def read(self, key: str, name: str) -> bytes:
        """Return one file of ``key`` after checking it against its checksum."""
        ...

    def put(self, key: str, record: Record, files: Mapping[str, bytes]) -> None:
        """Commit ``key``; a key that is there already stays as it is."""
        ...

    def evaluated(self, network: str) -> frozenset[str]:
        """Return the keys of the tasks that ``network`` has predictions for."""
        ...

    def lease(
        self, key: str, waiting: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[None]:
        """Wait until nobody else works on ``key``, then hold it and keep the hold alive.

        ``waiting`` is called again and again until then.
        """
        ...

    def scratch(self, key: str) -> Scratch:
        """Return the scratch room of ``key``."""
        ...


@dataclass(frozen=True, kw_only=True)
class Event:
    """What a trial tells while it runs.

    ``level`` is that of the network concerned, 0 for the parent. ``done`` of ``total`` are its
    epochs for ``epoch``, 0 when training begins, and its evaluations for ``cells``; these are
    committed once all are done. ``waiting`` is for another sweep that works on the same network.
    """

    chain: str
    kind: Literal[
        "start",
        "epoch",
        "network",
        "cells",
        "measure",
        "waiting",
        "finished",
        "failed",
        "blocked",
        "retry",
    ]
    level: int = 0
    done: int = 0
    total: int = 0
    detail: str = ""


Report = Callable[[Event], None]
