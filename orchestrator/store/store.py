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

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from orchestrator.store.lease import hold
from orchestrator.store.local_storage import open_storage
from orchestrator.store.objects import (
    FORMAT,
    DamagedObjectError,
    MissingObjectError,
    checked_key,
    checked_name,
    folder_of,
    has_format,
    is_key,
    mark_format,
    seal,
    unseal,
)
from orchestrator.store.scratch import SCRATCH, ScratchFile
from orchestrator.store.storage import MARKER, Storage, StoreError
from workers.contracts import Record

__all__ = ["DamagedObjectError", "Index", "MissingObjectError", "Store", "StoreError"]

RESERVED = frozenset({"key", "files", "format", "checksum"})


@dataclass(frozen=True)
class Index:
    """What a store holds: keys of networks, and for each network the keys of its evaluations.

    Checkpoints and measures of networks are among ``networks``; they have no evaluations.
    """

    networks: frozenset[str]
    evaluations: Mapping[str, list[str]]


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
            DamagedObjectError: a byte of the record changed.

        """
        fields = self._unseal(key)
        if fields.get("key") != key:
            raise DamagedObjectError(key, MARKER, f"it is the record of {fields.get('key')}")
        return fields

    def _unseal(self, key: str) -> dict[str, Any]:
        path = f"{folder_of(key)}/{MARKER}"
        try:
            return unseal(self.storage.read(path))
        except FileNotFoundError:
            raise self._absence(key, MARKER) from None
        except ValueError as error:
            raise DamagedObjectError(key, MARKER, str(error)) from error

    def read(self, key: str, name: str) -> bytes:
        """Return one file of ``key``.

        Raises:
            MissingObjectError: ``key`` is not committed, or has no such file.
            DamagedObjectError: a byte of the record or of the file changed.

        """
        files = self.record(key)["files"]
        if name not in files:
            has = ", ".join(sorted(files)) or "none"
            raise MissingObjectError(f"object {key} has no file {name!r}; its files: {has}")
        try:
            content = self.storage.read(f"{folder_of(key)}/{checked_name(files[name]['path'])}")
        except (FileNotFoundError, ValueError):
            raise self._absence(key, name) from None
        if sha256(content).hexdigest() != files[name]["sha256"]:
            raise DamagedObjectError(key, name, "its checksum does not hold")
        return content

    def _absence(self, key: str, file: str) -> StoreError:
        if self.has(key):
            return DamagedObjectError(key, file, "it is missing")
        return MissingObjectError(f"the store {self.location} has no object {key}")

    def put(self, key: str, record: Record, files: Mapping[str, bytes]) -> None:
        """Commit ``key`` and empty its scratch; a key that is there already stays as it is.

        Raises:
            ValueError: a malformed key or file name, or a reserved field in ``record``.
            TypeError: ``record`` is not JSON.
            OSError: the disk is full, the network is down; nothing is committed.

        """
        if not self.has(key):
            if taken := RESERVED & record.keys():
                raise ValueError(f"fields that the store itself writes: {sorted(taken)}")
            self._commit(key, record, files)
        self.scratch(key).clear()

    def _commit(self, key: str, record: Record, files: Mapping[str, bytes]) -> None:
        entries = {checked_name(name): self._describe(name, files[name]) for name in files}
        sealed = seal({**record, "key": key, "files": entries, "format": FORMAT})
        contents = {str(entries[name]["path"]): files[name] for name in files}
        self._mark()
        self.storage.commit(folder_of(key), {**contents, MARKER: sealed})

    def _describe(self, name: str, content: bytes) -> dict[str, str | int]:
        digest = sha256(content).hexdigest()
        path = self.storage.stored_name(name, digest)
        return {"path": path, "sha256": digest, "bytes": len(content)}

    def discard(self, key: str) -> None:
        """Remove ``key`` at one stroke, if it is there."""
        self.storage.remove(folder_of(key))

    def size(self, key: str) -> int:
        """Bytes that ``key`` occupies, record included; 0 when it is not committed."""
        return self.storage.size(folder_of(key))

    def keys(self) -> Iterator[str]:
        """Walk the committed keys, in no order, in one listing and without opening a file."""
        for path in self.storage.objects():
            _, prefix, key = path.split("/")
            if is_key(key) and key.startswith(prefix):
                yield key

    def index(self) -> Index:
        """Sort the committed keys into networks and their evaluations, from one listing."""
        networks: set[str] = set()
        evaluations: dict[str, list[str]] = {}
        for key in self.keys():
            network, dash, _ = key.partition("-")
            if dash:
                evaluations.setdefault(network, []).append(key)
            else:
                networks.add(network)
        return Index(frozenset(networks), evaluations)

    def evaluations(self, network: str) -> list[str]:
        """Return the sorted keys of the evaluations of ``network``, from one folder's listing."""
        folder = folder_of(network).rpartition("/")[0]
        names = sorted(self.storage.names(folder))
        return [key for key in names if key.startswith(f"{network}-") and self.has(key)]

    def evaluated(self, network: str) -> frozenset[str]:
        """Return the keys of the tasks that ``network`` has predictions for.

        Raises:
            DamagedObjectError: the record of one of its evaluations changed.

        """
        records = (self.record(key) for key in self.evaluations(network))
        return frozenset(task for record in records for task in record["tasks"])

    def lease(self, key: str) -> AbstractContextManager[None]:
        """Wait until nobody else works on ``key``, then hold it; see ``lease.py``."""
        self._mark()
        return hold(self.storage, checked_key(key))

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
