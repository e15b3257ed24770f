"""The bytes of a store on object storage, through ``pyarrow.fs``.

A folder of files is committed all or nothing: its marker file is written last, and only a folder
that has one counts.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyarrow import fs

from orchestrator.store.errors import StoreError

OBJECTS = "objects"
MARKER = "record.json"
LISTING_TRIES = 10


@dataclass(frozen=True)
class Entry:
    """A stored file or folder: its path in the store, bytes, and nanoseconds since 1970."""

    path: str
    size: int
    modified: int

    @property
    def folder(self) -> str:
        """The path of the folder it is in."""
        return self.path.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


class Storage:
    """Files under one root of a ``pyarrow.fs.FileSystem``; paths are relative, with slashes.

    It needs no rename, only that one file appears whole and that a listing shows what was written
    before it; S3 and its kin promise both.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        """Use ``root`` of ``filesystem``, which need not exist yet."""
        self._filesystem = filesystem
        self.root: str = filesystem.normalize_path(root).rstrip("/")

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def read(self, path: str, limit: int | None = None) -> bytes:
        """Return a file's content, or its first ``limit`` bytes; raises FileNotFoundError."""
        # A stream would be read in hundreds of small requests, a file of known size in one.
        with self._filesystem.open_input_file(self._at(path)) as file:
            # No more than there is, or a limit from a forged record would be allocated.
            content: bytes = file.read(min(file.size(), limit or sys.maxsize))
        return content

    def write(self, path: str, content: bytes) -> None:
        """Replace a file atomically."""
        try:
            self._upload(path, content)
        except FileNotFoundError:  # object storage has no folders to miss
            self._filesystem.create_dir(self._at(path).rpartition("/")[0], recursive=True)
            self._upload(path, content)

    def _upload(self, path: str, content: bytes) -> None:
        with self._filesystem.open_output_stream(self._at(path), compression=None) as stream:
            stream.write(content)

    def touch(self, path: str, content: bytes) -> None:
        """Renew the time of a file that holds ``content``."""
        self.write(path, content)

    def listing(self, folder: str, *, recursive: bool = False) -> list[Entry]:
        """List the files of ``folder``; a missing folder is empty."""
        return [
            Entry(self._relative(info), info.size, info.mtime_ns)
            for info in self._infos(folder, recursive=recursive)
            if info.type == fs.FileType.File
        ]

    def _infos(self, folder: str, *, recursive: bool) -> list[Any]:
        selector = fs.FileSelector(self._at(folder), allow_not_found=True, recursive=recursive)
        for _ in range(LISTING_TRIES):
            try:
                return list(self._filesystem.get_file_info(selector))
            except NotADirectoryError:
                return []
            except FileNotFoundError:  # a folder was made between Arrow's look and its check
                continue
        raise StoreError(f"{self._at(folder)} cannot be listed: it comes and goes")

    def _relative(self, info: Any) -> str:
        path: str = info.path
        return path.removeprefix(self.root).lstrip("/")

    def stored_name(self, name: str, digest: str) -> str:
        """Name a file so that two writers of one folder never mix their contents."""
        return f"{digest[:16]}.{name}"

    def commit(self, folder: str, contents: Mapping[str, bytes]) -> None:
        """Write the files of ``folder``, then its marker, which makes them count."""
        for name in sorted(contents, key=MARKER.__eq__):
            self.write(f"{folder}/{name}", contents[name])

    def committed(self, folder: str) -> bool:
        """Tell whether ``folder`` was committed, in one listing: to miss a file may cost two."""
        return any(map(_marks, self.listing(folder)))

    def objects(self, prefix: str = "") -> Iterator[str]:
        """Walk the committed folders of ``objects/*/``, or of one of them, by their paths."""
        for entry in self.listing(f"{OBJECTS}/{prefix}".rstrip("/"), recursive=True):
            if _marks(entry):
                yield entry.folder

    def unfinished(self) -> list[Entry]:
        """List what interrupted writers left, and what is being written right now."""
        entries = self.listing(OBJECTS, recursive=True)
        whole = {entry.folder for entry in entries if _marks(entry)}
        return [entry for entry in entries if entry.folder not in whole]

    def size(self, folder: str) -> int:
        """Sum the bytes of the files of ``folder``."""
        return sum(entry.size for entry in self.listing(folder, recursive=True))

    def sizes(self, folders: Iterable[str]) -> list[int]:
        """Return the size of each of some folders of ``objects/*/``, in one listing of all."""
        total: Counter[str] = Counter()
        for entry in self.listing(OBJECTS, recursive=True):
            total[entry.folder] += entry.size
        return [total[folder] for folder in folders]

    def remove_file(self, path: str) -> None:
        """Remove a file; what is missing is removed already."""
        with suppress(FileNotFoundError):
            self._filesystem.delete_file(self._at(path))

    def remove(self, path: str) -> None:
        """Remove a file, or a folder marker first; what is missing is removed already."""
        kind = self._filesystem.get_file_info(self._at(path)).type
        if kind == fs.FileType.File:
            self.remove_file(path)
        elif kind == fs.FileType.Directory:
            self.remove_file(f"{path}/{MARKER}")
            with suppress(FileNotFoundError):
                self._filesystem.delete_dir(self._at(path))


def _marks(entry: Entry) -> bool:
    """Tell whether a file is a marker; an upload that is interrupted may leave an empty one."""
    return entry.name == MARKER and entry.size > 0
