"""Makes the files of an object: what was put, each with its checksum in a sealed record."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from orchestrator.store.objects import FORMAT, checked_name, seal
from orchestrator.store.storage import MARKER, Storage
from workers.contracts import Record

RESERVED = frozenset({"key", "files", "format", "checksum"})


def sealed_object(
    storage: Storage, key: str, record: Record, files: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the contents that commit ``key`` to ``storage``, by stored name; the record is last.

    Raises:
        ValueError: a malformed file name, or a reserved field in ``record``.
        TypeError: ``record`` is not JSON.

    """
    if taken := RESERVED & record.keys():
        raise ValueError(f"fields that the store itself writes: {sorted(taken)}")
    entries = {checked_name(name): _described(storage, name, files[name]) for name in files}
    contents = {str(entries[name]["path"]): files[name] for name in files}
    return {**contents, MARKER: seal({**record, "key": key, "files": entries, "format": FORMAT})}


def _described(storage: Storage, name: str, content: bytes) -> dict[str, str | int]:
    digest = sha256(content).hexdigest()
    path = storage.stored_name(name, digest)
    return {"path": path, "sha256": digest, "bytes": len(content)}
