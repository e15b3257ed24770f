"""Care of a store: find and remove what is damaged, and what no sweep needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from orchestrator.store.lease import LEASES, read_claim
from orchestrator.store.objects import (
    ADVICE,
    DamagedObjectError,
    MissingObjectError,
    folder_of,
    is_key,
)
from orchestrator.store.scratch import SCRATCH
from orchestrator.store.storage import Entry
from orchestrator.store.store import Store
from workers.contracts import Record

Progress = Callable[[int, int], None]

STALE_AFTER = 3600.0
THREADS = 4


@dataclass(frozen=True, kw_only=True)
class Damage:
    """One damaged file of a committed object, and what to do about it."""

    key: str
    file: str
    what: str
    advice: str = ADVICE


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """Something that no sweep needs; ``key`` is empty where it belongs to none."""

    key: str
    path: str
    bytes: int
    reason: str


def verify(
    store: Store, keys: Collection[str] | None = None, progress: Progress | None = None
) -> list[Damage]:
    """Check every byte of every object against its checksum.

    Args:
        store: the store, which may be in use.
        keys: the objects to check, all when None; what is not committed is passed over.
        progress: called with the number of objects checked and their total.

    """
    todo = list(store.keys()) if keys is None else list(keys)
    found: list[Damage] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for done, damages in enumerate(pool.map(partial(_inspect, store), todo), start=1):
            found.extend(damages)
            if progress:
                progress(done, len(todo))
    return found


def _inspect(store: Store, key: str) -> list[Damage]:
    try:
        record = store.record(key)
    except MissingObjectError:
        return []
    except DamagedObjectError as error:
        return [Damage(key=error.key, file=error.file, what=error.what)]
    return [found for name in record["files"] for found in _inspect_file(store, key, name, record)]


def _inspect_file(store: Store, key: str, name: str, record: Record) -> Iterator[Damage]:
    try:
        store.read(key, name, record)
    except MissingObjectError:  # discarded meanwhile
        return
    except DamagedObjectError as error:
        yield Damage(key=error.key, file=error.file, what=error.what)


def remove_damaged(store: Store, damages: Iterable[Damage]) -> list[str]:
    """Discard the damaged objects, so that the next run makes them again; returns their keys.

    The evaluations and measures of a damaged network go too: on a GPU the network that replaces it
    may predict otherwise. They go first, so that an interruption leaves the damage to be found
    again.
    """
    keys = {damage.key for damage in damages}
    networks = {key for key in keys if "-" not in key}
    evaluations = {other for key in networks for other in store.evaluations(key)}
    first = sorted(evaluations | _measures_of(store, networks) | (keys - networks))
    removed = [*first, *sorted(networks.difference(first))]
    for key in removed:
        store.discard(key)
    return removed


def _measures_of(store: Store, networks: AbstractSet[str]) -> set[str]:
    """Find the whole measures that one of ``networks`` is a subject of."""
    found = set()
    for key in store.keys() if networks else ():
        if "-" not in key and key not in networks:
            with suppress(DamagedObjectError, MissingObjectError):
                subjects = store.record(key).get("subjects")
                if isinstance(subjects, list) and any(one in subjects for one in networks):
                    found.add(key)
    return found


def worked_on(store: Store) -> set[str]:
    """Return the keys that somebody works on right now, as far as the leases tell."""
    return _claims(store)[1]


def plan_gc(store: Store, keep: AbstractSet[str]) -> list[Garbage]:
    """List what no sweep needs; nothing is removed.

    Objects and scratch of keys that somebody works on are never listed.

    Args:
        store: the store, which may be in use.
        keep: keys of the networks that sweeps need; their evaluations are needed too.

    """
    dead, busy = _claims(store)
    needed = keep | busy
    return [*_objects(store, needed), *_scratch(store, needed), *dead, *_unfinished(store)]


def collect_garbage(store: Store, garbage: Iterable[Garbage]) -> int:
    """Remove what ``plan_gc`` listed; returns the bytes freed."""
    freed = 0
    for piece in garbage:
        store.storage.remove(piece.path)
        freed += piece.bytes
    return freed


def _objects(store: Store, keep: AbstractSet[str]) -> Iterator[Garbage]:
    reason = "no sweep names its network"
    keys = [key for key in sorted(store.keys()) if not {key, key.partition("-")[0]} & keep]
    folders = [folder_of(key) for key in keys]
    for key, folder, size in zip(keys, folders, store.storage.sizes(folders), strict=True):
        yield Garbage(key=key, path=folder, bytes=size, reason=reason)


def _scratch(store: Store, keep: AbstractSet[str]) -> Iterator[Garbage]:
    for entry in store.storage.listing(SCRATCH):
        if not is_key(entry.name):
            continue
        if store.has(entry.name):
            yield _garbage(entry, "scratch of an object that is finished", entry.name)
        elif not {entry.name, entry.name.partition("-")[0]} & keep:
            yield _garbage(entry, "scratch that no sweep names", entry.name)


def _claims(store: Store) -> tuple[list[Garbage], set[str]]:
    """Split the leases into dead claims and keys that somebody works on."""
    dead, busy = [], set()
    for entry in store.storage.listing(LEASES):
        key = entry.name.partition(".")[0]
        claim = read_claim(store.storage, entry.path)
        if _stale(entry) or (claim is not None and claim.gone):
            dead.append(_garbage(entry, "lease of a process that is gone", key))
        else:
            busy.add(key)
    return dead, busy


def _unfinished(store: Store) -> Iterator[Garbage]:
    for entry in store.storage.unfinished():
        if _stale(entry):
            yield _garbage(entry, "interrupted write")


def _stale(entry: Entry) -> bool:
    """Judge by this machine's clock, hence with a wide margin."""
    return time.time() - entry.modified / 1e9 > STALE_AFTER


def _garbage(entry: Entry, reason: str, key: str = "") -> Garbage:
    return Garbage(key=key, path=entry.path, bytes=entry.size, reason=reason)
