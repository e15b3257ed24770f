"""What the store's format fixes: keys, places, sealed records, and what can be wrong with them.

A record is JSON in one canonical form with its own checksum inside. It is read back only if its
bytes are exactly what sealing it again gives, so that even an equivalent escape is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeGuard

from orchestrator.store.errors import StoreError
from orchestrator.store.storage import MARKER, OBJECTS, Storage
from workers.contracts import PermanentError, suite_key

FORMAT = 1
FORMAT_FILE = "store.json"
MAX_FORMAT = 4096
MAX_RECORD = 2**26
ADVICE = "run 'prunesweep verify --remove' and run the sweep again"

_KEY = re.compile(r"[0-9a-f]{64}(-[0-9a-f]{16})?")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class MissingObjectError(StoreError):
    """The store holds no such object, or the object no such file."""


class DamagedObjectError(StoreError, PermanentError):
    """A committed object is not what was put: its ``key``, the ``file``, ``what`` is wrong."""

    def __init__(self, key: str, file: str, what: str) -> None:
        super().__init__(key, file, what)
        self.key, self.file, self.what = key, file, what

    def __str__(self) -> str:
        return f"object {self.key} is damaged: {self.file}: {self.what}; {ADVICE}"


def has_format(storage: Storage) -> bool:
    """Tell whether the store is marked with a format; raises StoreError for one unknown here."""
    try:
        version = json.loads(storage.read(FORMAT_FILE, MAX_FORMAT))["format"]
        if not isinstance(version, int) or abs(version) > MAX_FORMAT:
            raise ValueError("the format is no number")
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        expected = f'expected {{"format": {FORMAT}}}'
        raise StoreError(f"{storage.root}/{FORMAT_FILE} is unreadable; {expected}") from error
    if version != FORMAT:
        raise StoreError(
            f"the store {storage.root} has format {version}, this version of prunesweep reads "
            f"format {FORMAT}; update prunesweep or use another store"
        )
    return True


def mark_format(storage: Storage) -> None:
    """Mark the store with the format of this version."""
    storage.write(FORMAT_FILE, json.dumps({"format": FORMAT}).encode())


def is_key(key: str) -> bool:
    """Tell whether ``key`` has the form of a network's or an evaluation's key."""
    return _KEY.fullmatch(key) is not None


def checked_key(key: str) -> str:
    """Return ``key`` if it is one; raises ValueError."""
    if not is_key(key):
        raise ValueError(f"not a key: {key!r}; expected 64 hex digits, or 64, a dash and 16")
    return key


def is_name(name: object) -> bool:
    """Tell whether an object may have a file called ``name``: one part of a path, and no marker."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and name != MARKER


def checked_name(name: str) -> str:
    """Return ``name`` if an object may have a file of that name; raises ValueError."""
    if not is_name(name):
        raise ValueError(
            f"not a file name: {name!r}; expected letters, digits, '.', '_' and '-', not {MARKER}"
        )
    return name


def folder_of(key: str) -> str:
    """Path in the store of the object ``key``; raises ValueError for what is no key."""
    return f"{OBJECTS}/{checked_key(key)[:2]}/{key}"


def seal(fields: Mapping[str, Any]) -> bytes:
    """Write ``fields`` as JSON with its own checksum; raises TypeError for what is not JSON."""
    return _canonical({**fields, "checksum": sha256(_canonical(fields)).hexdigest()})


def unseal(content: bytes) -> dict[str, Any]:
    """Read what ``seal`` wrote; raises ValueError when a byte of it is different."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(fields, dict):
        raise ValueError("it is not a JSON object")
    fields.pop("checksum", None)
    if seal(fields) != content:
        raise ValueError("its checksum does not hold")
    return fields


def is_suite(tasks: object, suite: str) -> TypeGuard[list[str]]:
    """Tell whether ``tasks`` is a list of tasks whose key is ``suite``."""
    return (
        isinstance(tasks, list)
        and all(isinstance(task, str) and task.isascii() for task in tasks)
        and suite_key(tasks) == suite
    )


def is_file_table(files: object) -> bool:
    """Tell whether ``files`` has the form that the store gives to a record's list of files."""
    return isinstance(files, dict) and all(
        is_name(name)
        and isinstance(entry, dict)
        and is_name(entry.get("path"))
        and isinstance(entry.get("sha256"), str)
        and type(entry.get("bytes")) is int
        and entry["bytes"] >= 0
        for name, entry in files.items()
    )


def _canonical(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
