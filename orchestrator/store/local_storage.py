"""The bytes of a store in a local or shared folder.

A folder of files is committed all or nothing: it is written aside, then renamed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from pyarrow import fs

from orchestrator.store.storage import OBJECTS, Entry, Storage, StoreError

UNFINISHED = "tmp"


def open_storage(location: str | Path) -> Storage:
    """Open a local folder, or any URI that ``pyarrow.fs`` takes, without writing anything.

    Raises:
        StoreError: the location is a file, or a URI that cannot be reached or understood.

    """
    if "://" not in str(location):
        return LocalStorage(Path(location))
    try:
        filesystem, root = fs.FileSystem.from_uri(str(location))
    except (ValueError, NotImplementedError, OSError) as error:
        expected = "expected a folder, or a URI such as s3://bucket/folder"
        raise StoreError(f"cannot open the store {location}: {error}; {expected}") from error
    if isinstance(filesystem, fs.LocalFileSystem):
        return LocalStorage(Path(root))
    return Storage(filesystem, root)


class LocalStorage(Storage):
    """A local or shared folder, where a rename is atomic."""

    def __init__(self, root: Path) -> None:
        """Use the folder ``root``; raises StoreError where that is a file."""
        if root.exists() and not root.is_dir():
            raise StoreError(f"cannot open the store {root}: it is a file, expected a folder")
        super().__init__(fs.LocalFileSystem(), str(root.absolute()))

    def _aside(self) -> Path:
        path = Path(self._at(UNFINISHED))
        path.mkdir(parents=True, exist_ok=True)
        return path / uuid4().hex

    def write(self, path: str, content: bytes) -> None:
        """Replace a file atomically."""
        aside, target = self._aside(), Path(self._at(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_through(aside, content)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)

    def touch(self, path: str, content: bytes) -> None:
        """Renew the time of a file in place, so that a concurrent listing cannot miss it."""
        os.utime(self._at(path))

    def names(self, folder: str) -> list[str]:
        """Name the files and folders of ``folder``; a missing folder is empty."""
        try:
            return os.listdir(self._at(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def stored_name(self, name: str, digest: str) -> str:
        """Keep the plain name: a rename never mixes two writers."""
        return name

    def commit(self, folder: str, contents: Mapping[str, bytes]) -> None:
        """Write a folder aside and rename it; the first of two writers wins."""
        aside, target = self._aside(), Path(self._at(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.mkdir()
            for name, content in contents.items():
                _write_through(aside / name, content)
            aside.rename(target)
        except OSError:
            if not target.exists():
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def committed(self, folder: str) -> bool:
        """Tell whether ``folder`` was committed."""
        return os.path.isdir(self._at(folder))

    def objects(self) -> Iterator[str]:
        """Walk the committed folders of ``objects/*/``, by their paths."""
        for prefix in self.names(OBJECTS):
            yield from (f"{OBJECTS}/{prefix}/{name}" for name in self.names(f"{OBJECTS}/{prefix}"))

    def unfinished(self) -> list[Entry]:
        """List what interrupted writers left, and what is being written right now."""
        paths = [f"{UNFINISHED}/{name}" for name in self.names(UNFINISHED)]
        infos = self._filesystem.get_file_info([self._at(path) for path in paths])
        return [
            Entry(path, info.size or self.size(path), info.mtime_ns)
            for path, info in zip(paths, infos, strict=True)
            if info.type != fs.FileType.NotFound
        ]

    def remove(self, path: str) -> None:
        """Remove a file or, at one stroke, a folder; what is missing is removed already."""
        target = Path(self._at(path))
        if not target.exists():
            return
        aside = self._aside()
        with suppress(FileNotFoundError):
            target.rename(aside)
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


def _write_through(path: Path, content: bytes) -> None:
    """Write to the disk itself: a rename must not survive a power cut that its content does not."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
