"""The content-addressed store: what a sweep has computed, each object under its content key.

::

    store.json                               the format version
    objects/<kk>/<key>/record.json, files    kk: the first two digits of the key
    scratch/<key>                            half-done work
    leases/<key>.<claim>.json                who works on what right now
    tmp/                                     writes in progress (local folders only)

An object is committed all or nothing, never changed, and checked against its checksums when read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from orchestrator.store.errors import StoreError
from orchestrator.store.index import Index, keys_at, sorted_out
from orchestrator.store.lease import hold
from orchestrator.store.objects import (
    DamagedObjectError,
    MissingObjectError,
    checked_key,
    checked_name,
    folder_of,
    has_format,
    mark_format,
)
from orchestrator.store.opening import open_storage
from orchestrator.store.reading import read_file, read_record
from orchestrator.store.scratch import SCRATCH, ScratchFile
from orchestrator.store.storage import Storage
from orchestrator.store.suites import Suites
from orchestrator.store.writing import sealed_object
from workers.contracts import Record

__all__ = ["DamagedObjectError", "Index", "MissingObjectError", "Store", "StoreError"]


class Store:
    """Objects, scratch and leases in a local folder or at any URI that ``pyarrow.fs`` takes."""

    def __init__(self, location: str | Path, *, storage: Storage | None = None) -> None:
        """Open a store, which need not exist yet; nothing is written before the first ``put``.

        Args:
            location: a folder, or a URI such as ``s3://bucket/folder``; it also names the store.
            storage: where the bytes lie, when ``location`` alone cannot tell.

        Raises:
            StoreError: the location cannot be opened, or holds a newer format.

        """
        self.location = location
        self.storage = storage or open_storage(location)
        self._marked = has_format(self.storage)
        self._suites = Suites(self.storage)

    def _mark(self) -> None:
        if not self._marked:
            mark_format(self.storage)
            self._marked = True

    def has(self, key: str) -> bool:
        """Tell whether ``key`` is committed, at the price of one look at the file system."""
        return self.storage.committed(folder_of(key))

    def record(self, key: str) -> Record:
        """Return what was put under ``key``, with its ``key``, ``files`` and ``format``.

        Raises:
            MissingObjectError: ``key`` is not committed.
            DamagedObjectError: a byte of the record changed, or it is no record of ``key``.

        """
        return read_record(self.storage, key)

    def read(self, key: str, name: str, record: Record | None = None) -> bytes:
        """Return one file of ``key``.

        Args:
            key: the object.
            name: the file.
            record: that of ``key``, if it has been read already.

        Raises:
            MissingObjectError: ``key`` is not committed, or has no such file.
            DamagedObjectError: a byte of the record or of the file changed.

        """
        return read_file(self.storage, key, name, self.record(key) if record is None else record)

    def put(self, key: str, record: Record, files: Mapping[str, bytes]) -> None:
        """Commit ``key`` and empty its scratch; a key that is there already stays as it is.

        Raises:
            ValueError: a malformed key or file name, or a reserved field in ``record``.
            TypeError: ``record`` is not JSON.
            OSError: the disk is full, the network is down; nothing is committed.

        """
        if not self.has(key):
            sealed = sealed_object(self.storage, key, record, files)
            self._mark()
            self.storage.commit(folder_of(key), sealed)
        self.scratch(key).clear()

    def discard(self, key: str) -> None:
        """Remove ``key`` at one stroke, if it is there."""
        self.storage.remove(folder_of(key))

    def size(self, key: str) -> int:
        """Bytes that ``key`` occupies, record included; 0 when it is not committed."""
        return self.storage.size(folder_of(key))

    def keys(self) -> Iterator[str]:
        """Walk the committed keys, in no order, in one listing and without opening a file."""
        yield from keys_at(self.storage.objects())

    def index(self) -> Index:
        """Sort the committed keys into networks and their evaluations, from one listing."""
        return sorted_out(self.keys())

    def evaluations(self, network: str) -> list[str]:
        """Return the sorted keys of the evaluations of ``network``, from one folder's listing."""
        folder = folder_of(network).split("/")[1]
        keys = keys_at(self.storage.objects(folder))
        return sorted(key for key in keys if key.startswith(f"{network}-"))

    def evaluated(self, network: str) -> frozenset[str]:
        """Return the keys of the tasks that ``network`` has predictions for; see ``tasks_of``."""
        return self.tasks_of(self.evaluations(network))

    def tasks_of(self, evaluations: Iterable[str]) -> frozenset[str]:
        """Return the keys of the tasks that ``evaluations`` hold the predictions of.

        One record is read for every set of tasks, which a key names, not for every evaluation.

        Raises:
            DamagedObjectError: such a record changed.

        """
        return frozenset().union(*map(self._suites.tasks_of, evaluations))

    def lease(
        self, key: str, waiting: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[None]:
        """Wait until nobody else works on ``key``, then hold it; see ``lease.py``."""
        self._mark()
        return hold(self.storage, checked_key(key), waiting=waiting)

    def scratch(self, key: str) -> ScratchFile:
        """Return the scratch room of ``key``."""
        return ScratchFile(self.storage, f"{SCRATCH}/{checked_key(key)}")

    def write_note(self, name: str, content: bytes) -> None:
        """Replace the note called ``name``: what is known of a sweep beyond its objects."""
        self._mark()
        self.storage.write(f"notes/{checked_name(name)}", content)

    def read_note(self, name: str) -> bytes | None:
        """Return the note called ``name``, or None."""
        try:
            return self.storage.read(f"notes/{checked_name(name)}")
        except FileNotFoundError:
            return None
