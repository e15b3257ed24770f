"""Reads committed objects, and tells what is missing from what is damaged."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from orchestrator.store.errors import StoreError
from orchestrator.store.objects import (
    MAX_RECORD,
    DamagedObjectError,
    MissingObjectError,
    checked_name,
    folder_of,
    is_file_table,
    is_key,
    unseal,
)
from orchestrator.store.storage import MARKER, Storage
from workers.contracts import Record


def read_record(storage: Storage, key: str) -> Record:
    """Return the record of ``key``.

    Raises:
        MissingObjectError: ``key`` is not committed.
        DamagedObjectError: a byte of the record changed, or it is no record of ``key``.

    """
    fields = _unsealed(storage, key)
    if (made_for := fields.get("key")) != key:
        other = made_for if isinstance(made_for, str) and is_key(made_for) else "no object"
        raise DamagedObjectError(key, MARKER, f"it is the record of {other}")
    if not is_file_table(fields.get("files")):
        raise DamagedObjectError(key, MARKER, "its list of files is not one")
    return fields


def read_file(storage: Storage, key: str, name: str, record: Record) -> bytes:
    """Return the file ``name`` of ``key``, whose ``record`` has its checksum.

    Raises:
        MissingObjectError: ``key`` is not committed any more, or has no such file.
        DamagedObjectError: a byte of the file changed.

    """
    files = record["files"]
    if name not in files:
        has = ", ".join(sorted(files)) or "none"
        raise MissingObjectError(f"object {key} has no file {name!r}; its files: {has}")
    path, size = checked_name(files[name]["path"]), files[name]["bytes"]
    try:
        content = storage.read(f"{folder_of(key)}/{path}", size + 1)
    except FileNotFoundError:
        raise _absence(storage, key, name) from None
    if len(content) != size or sha256(content).hexdigest() != files[name]["sha256"]:
        raise DamagedObjectError(key, name, "its checksum does not hold")
    return content


def _unsealed(storage: Storage, key: str) -> dict[str, Any]:
    path = f"{folder_of(key)}/{MARKER}"
    try:
        return unseal(storage.read(path, MAX_RECORD))
    except FileNotFoundError:
        raise _absence(storage, key, MARKER) from None
    except ValueError as error:
        raise DamagedObjectError(key, MARKER, str(error)) from error


def _absence(storage: Storage, key: str, file: str) -> StoreError:
    if storage.committed(folder_of(key)):
        return DamagedObjectError(key, file, "it is missing")
    return MissingObjectError(f"the store {storage.root} has no object {key}")
