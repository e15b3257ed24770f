"""Leases: of all the processes that share a store, one at a time works on a key.

A contender looks for claims of others, raises its own, and looks again: if it is still alone it
holds the key, else it withdraws and tries later (the flag principle: of two that raise, at least
one sees the other). Only wasted work depends on it: a key is committed once, whoever computes it.

A holder renews its claim. A claim is dead when it was not renewed for ``TTL`` seconds of the
observer's own clock, so that clocks need not agree; or at once, when its process ran on this
machine and is gone.
"""

from __future__ import annotations

import json
import logging
import os
import platform
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

from orchestrator.store.errors import StoreError
from orchestrator.store.storage import Entry, Storage

LEASES = "leases"
BEAT = 5.0
MAX_CLAIM = 4096
TTL = 90.0  # NFS may show a renewal up to 60 seconds late; S3 tells times to the second

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A process that works on a key; ``started`` tells it from a later one of the same number."""

    host: str
    pid: int
    started: str

    def __post_init__(self) -> None:
        if not (isinstance(self.host, str) and isinstance(self.started, str)):
            raise ValueError("not a process: expected text for host and started")
        if not (isinstance(self.pid, int) and 0 < self.pid < 2**31):
            raise ValueError(f"not a process number: {self.pid!r}")

    @property
    def gone(self) -> bool:
        """Whether the process ran on this machine and runs no more."""
        return self.host == this_host() and not _runs(self.pid, self.started)


def this_host() -> str:
    """Name the set of processes whose numbers mean the same: machine, boot and container."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), "/proc/self/ns/pid"
    with suppress(OSError):
        return f"{platform.node()} {boot.read_text().strip()} {os.readlink(namespace)}"
    return platform.node()


def _process(pid: int) -> tuple[str, str]:
    """Return the state letter and the start time in clock ticks, or ("?", "") where not told."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], fields[19]
    return "?", ""


def _runs(pid: int, started: str) -> bool:
    if os.name != "posix":  # there, signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    state, start = _process(pid)
    return state not in ("Z", "X") and start in ("", started)


def read_claim(storage: Storage, path: str) -> Claim | None:
    """Read who made a claim; None if it is withdrawn or damaged."""
    try:
        return Claim(**json.loads(storage.read(path, MAX_CLAIM)))
    except (FileNotFoundError, ValueError, TypeError, RecursionError):
        return None


class Rivals:
    """The claims of others on one key, as one contender sees them over time."""

    def __init__(self, storage: Storage, key: str, mine: str, ttl: float) -> None:
        """Watch the claims on ``key`` except the one at the path ``mine``."""
        self._storage, self._mine, self._ttl = storage, mine, ttl
        self._prefix = f"{LEASES}/{key}."
        self._renewed: dict[str, tuple[int, float]] = {}
        self._claim = cache(lambda path: read_claim(storage, path))

    def living(self) -> list[str]:
        """List the paths of living claims, and remove dead ones."""
        entries = self._storage.listing(LEASES)
        rivals = [e for e in entries if e.path.startswith(self._prefix) and e.path != self._mine]
        dead = {entry.path for entry in rivals if self._dead(entry)}
        for path in dead:
            self._storage.remove_file(path)
        return [entry.path for entry in rivals if entry.path not in dead]

    def _dead(self, entry: Entry) -> bool:
        now = time.monotonic()
        modified, since = self._renewed.get(entry.path, (entry.modified, now))
        since = since if modified == entry.modified else now
        self._renewed[entry.path] = entry.modified, since
        claim = self._claim(entry.path)
        return now - since > self._ttl or (claim is not None and claim.gone)


@contextmanager
def hold(
    storage: Storage,
    key: str,
    *,
    ttl: float = TTL,
    beat: float = BEAT,
    waiting: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Wait until no other claim on ``key`` lives, then hold it and renew the claim every ``beat``.

    Args:
        storage: where the store lies.
        key: what to hold; a thread that holds it already would wait for itself.
        ttl: seconds without renewal after which a claim is dead; several times ``beat``.
        beat: seconds between renewals.
        waiting: called before each further look at the claims of others.

    Raises:
        OSError: the claim cannot be written; StoreError: object storage refuses it.

    """
    path = f"{LEASES}/{key}.{uuid4().hex}.json"
    content = json.dumps(asdict(_own_claim())).encode()
    stop = Event()
    pulse = Thread(target=_renew, args=(storage, path, content, stop, beat), daemon=True)
    try:
        _acquire(storage, path, content, Rivals(storage, key, path, ttl), waiting)
        pulse.start()
        yield
    finally:
        stop.set()
        if pulse.ident is not None:
            pulse.join()
        with suppress(OSError, StoreError):  # a claim that stays dies by itself
            storage.remove_file(path)


def _own_claim() -> Claim:
    return Claim(this_host(), os.getpid(), _process(os.getpid())[1])


def _acquire(
    storage: Storage, path: str, content: bytes, rivals: Rivals, waiting: Callable[[], None]
) -> None:
    delay = 0.05
    while True:
        living = rivals.living()
        if not living:
            storage.write(path, content)
            living = rivals.living()
            if not living:
                return
            storage.remove_file(path)
        _log.info("waiting for the holder of %s", living[0])
        waiting()
        time.sleep(delay * random.uniform(0.5, 1.5))
        delay = min(delay * 1.5, 2.0)


def _renew(storage: Storage, path: str, content: bytes, stop: Event, beat: float) -> None:
    while not stop.wait(beat):
        with suppress(OSError, StoreError):  # a hiccup of the network; the next renewal is in time
            storage.touch(path, content)
