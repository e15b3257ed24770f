"""Fingerprints of files, remembered so that the second plan of a sweep reads no image."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path

from workers.contracts import DataError


def fingerprint(files: Mapping[str, Path], root: Path) -> str:
    """Digest names and contents of ``files``, in their order.

    The digest is remembered in ``root/.fingerprints`` under a stamp of every path, size and
    modification time, so that it is computed again once any of them changes.

    Args:
        files: path by the name that enters the digest; where the file lies does not enter.
        root: the folder whose ``.fingerprints`` remembers.

    Raises:
        DataError: a file is missing or unreadable.

    """
    try:
        return remembered(_stamp(files), lambda: _digest(files), root)
    except OSError as error:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error


def remembered(stamp: str, digest: Callable[[], str], root: Path) -> str:
    """Return what ``root/.fingerprints`` holds for ``stamp``, or else ``digest()`` and keep it."""
    path = root / ".fingerprints" / stamp
    if path.exists():
        return path.read_text()
    found = digest()
    # A data folder may be read-only; then the next plan reads the files again.
    with suppress(OSError):
        _write(path, found)
    return found


def _stamp(files: Mapping[str, Path]) -> str:
    stamp = sha256()
    for name, path in files.items():
        status = path.stat()
        stamp.update(f"{name}\0{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return stamp.hexdigest()


def _digest(files: Mapping[str, Path]) -> str:
    digest = sha256()
    for name, path in files.items():
        with path.open("rb") as file:
            digest.update(f"{name}\0{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(content)
    unfinished.replace(path)
