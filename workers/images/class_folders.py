"""Test images in folders of one class each, listed and fingerprinted without being read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np

from workers.contracts import DataError
from workers.images.checksums import remembered
from workers.images.folders import EXTENSIONS
from workers.images.streamed import Listing


def listing(folders: Mapping[Path, int]) -> Listing:
    """List the images of ``folders``, folder by folder, each by name.

    Args:
        folders: the label of the images by folder.

    Raises:
        DataError: there is no image, or no such folder.

    """
    found = {folder: _images(folder) for folder in folders}
    paths = [entry.path for entries in found.values() for entry in entries]
    if not paths:
        some = ", ".join(map(str, [*folders][:3]))
        raise DataError(f"there is no image in {some or 'any folder of a class'}")
    counts = [len(entries) for entries in found.values()]
    return Listing(paths, np.repeat(np.array([*folders.values()], dtype=np.int64), counts))


def sizes_digest(kind: str, folders: Mapping[Path, int], root: Path) -> str:
    """Digest ``kind``, the labels, and the names and sizes of the images; they are not read.

    The digest is remembered until a file comes to a folder or leaves it; a file that was
    overwritten in its place is noticed once ``root/.fingerprints`` is deleted.

    Raises:
        DataError: there is no such folder.

    """
    stamp = sha256(f"{kind}\n".encode())
    for folder, label in folders.items():
        modified = _status(folder).st_mtime_ns
        stamp.update(f"{folder.resolve()}\0{label}\0{modified}\n".encode())
    return remembered(stamp.hexdigest(), lambda: _digest(kind, folders), root)


def _digest(kind: str, folders: Mapping[Path, int]) -> str:
    digest = sha256(f"{kind}\n".encode())
    for folder, label in folders.items():
        for entry in _images(folder):
            line = f"{folder.name}\0{label}\0{entry.name}\0{entry.stat().st_size}\n"
            digest.update(line.encode())
    return digest.hexdigest()


def _images(folder: Path) -> list[os.DirEntry[str]]:
    _status(folder)
    with os.scandir(folder) as entries:
        found = [e for e in entries if os.path.splitext(e.name)[1].lower() in EXTENSIONS]
    return sorted(found, key=lambda entry: entry.name)


def _status(folder: Path) -> os.stat_result:
    try:
        return folder.stat()
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror}") from error
