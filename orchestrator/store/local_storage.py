"""The bytes of a store in a local or shared folder.

A folder of files is committed all or nothing: it is written aside, then renamed.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EDQUOT, EISDIR, ENAMETOOLONG, ENOSPC, ENOTDIR
from pathlib import Path
from uuid import uuid4

from pyarrow import fs

from orchestrator.store.errors import StoreError, full
from orchestrator.store.storage import OBJECTS, Entry, Storage

UNFINISHED = "tmp"
_NO_FILE = (EISDIR, ENAMETOOLONG, ENOTDIR)


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

    def read(self, path: str, limit: int | None = None) -> bytes:
        """Return a file's content, or its first ``limit`` bytes; raises FileNotFoundError."""
        try:
            with open(self._at(path), "rb") as file:
                # No more than there is, or a limit from a forged record would be allocated.
                return file.read(min(os.fstat(file.fileno()).st_size, limit or sys.maxsize))
        except OSError as error:
            if error.errno in _NO_FILE:
                raise FileNotFoundError(*error.args) from error
            raise

    def write(self, path: str, content: bytes) -> None:
        """Replace a file atomically; raises StoreFullError."""
        with _told_when_full(self.root):
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

    def _names(self, folder: str) -> list[str]:
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
        with _told_when_full(self.root):
            self._commit(self._aside(), Path(self._at(folder)), contents)

    def _commit(self, aside: Path, target: Path, contents: Mapping[str, bytes]) -> None:
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

    def objects(self, prefix: str = "") -> Iterator[str]:
        """Walk the committed folders of ``objects/*/``, or of one of them, by their paths."""
        for folder in [prefix] if prefix else self._names(OBJECTS):
            yield from (f"{OBJECTS}/{folder}/{name}" for name in self._names(f"{OBJECTS}/{folder}"))

    def sizes(self, folders: Iterable[str]) -> list[int]:
        """Return the size of each of some folders, looking into no other."""
        return [self.size(folder) for folder in folders]

    def unfinished(self) -> list[Entry]:
        """List what interrupted writers left, and what is being written right now."""
        paths = [f"{UNFINISHED}/{name}" for name in self._names(UNFINISHED)]
        infos = self._filesystem.get_file_info([self._at(path) for path in paths])
        return [
            Entry(path, info.size or self.size(path), info.mtime_ns)
            for path, info in zip(paths, infos, strict=True)
            if info.type != fs.FileType.NotFound
        ]

    def remove_file(self, path: str) -> None:
        """Remove a file; what is missing is removed already."""
        self.remove(path)

    def remove(self, path: str) -> None:
        """Remove a file or, at one stroke, a folder; what is missing is removed already."""
        target = Path(self._at(path))
        if not target.exists():
            return
        aside = self._aside()
        with suppress(FileNotFoundError):
            target.rename(aside)
            shutil.rmtree(aside) if aside.is_dir() else aside.unlink()


@contextmanager
def _told_when_full(store: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise full(store, os.strerror(error.errno)) from error
        raise


def _write_through(path: Path, content: bytes) -> None:
    """Write to the disk itself: a rename must not survive a power cut that its content does not."""
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
