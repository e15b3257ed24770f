"""A memory-mapped array that several processes fill together, block by block.

The file is an ordinary ``.npy`` followed by the SHA-256 of every block, and so its own list of what
is left to do. Whoever needs it makes the blocks that nobody holds; a block is held by a lock on one
byte of the file, which the system gives back when its process ends. What a crash leaves behind is
gone on with, and a block that does not match its SHA-256 is made again, in place.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from hashlib import sha256
from io import BytesIO
from itertools import compress
from math import prod
from operator import not_
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
DIGEST = sha256().digest_size
UNMADE = bytes(DIGEST)
HELD = {errno.EACCES, errno.EAGAIN}
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}


@dataclass(frozen=True)
class BlockFile:
    """A file of ``uint8`` of ``shape``; a block is ``size`` rows along the first axis."""

    path: Path
    shape: tuple[int, ...]
    size: int

    def is_whole(self) -> bool:
        """Tell whether every block is there and undamaged; read once per version of the file."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return False
        return _is_whole(self, status.st_mtime_ns, status.st_size)

    def fill(self, make: Callable[[int], Pixels], threads: int) -> None:
        """Make the missing blocks, except those that other processes make meanwhile.

        Args:
            make: from the index of a block to its content, always the same.
            threads: blocks made at once.

        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT)
        try:
            os.ftruncate(file, self._length)
            _write(file, self._header, 0)
            missing = [block for block in range(self._count) if not self._holds(file, block)]
            with ThreadPoolExecutor(threads) as pool:
                is_here = list(pool.map(partial(self._make, file, make, wait=False), missing))
            # Whoever holds the others may end before they are made.
            for block in compress(missing, map(not_, is_here)):
                self._make(file, make, block, wait=True)
        finally:
            os.close(file)

    def read(self) -> Pixels:
        """Map the file into memory, read-only."""
        content: Pixels = np.load(self.path, mmap_mode="r", allow_pickle=False)
        return content

    def _make(self, file: int, make: Callable[[int], Pixels], block: int, *, wait: bool) -> bool:
        """Make a block unless it is there; returns False if another process is making it."""
        with _held(file, block, wait=wait) as held:
            if held and not self._holds(file, block):
                content = make(block).tobytes()
                _write(file, content, self._start(block))
                _write(file, sha256(content).digest(), self._start_of_digest(block))
        return held

    def _holds(self, file: int, block: int) -> bool:
        digest = os.pread(file, DIGEST, self._start_of_digest(block))
        if digest == UNMADE:
            return False
        content = os.pread(file, self._start(block + 1) - self._start(block), self._start(block))
        return digest == sha256(content).digest()

    @property
    def _count(self) -> int:
        return -(-self.shape[0] // self.size)

    @property
    def _length(self) -> int:
        return self._start_of_digest(self._count)

    def _start(self, block: int) -> int:
        images = min(block * self.size, self.shape[0])
        return len(self._header) + images * prod(self.shape[1:])

    def _start_of_digest(self, block: int) -> int:
        return self._start(self._count) + block * DIGEST

    @cached_property
    def _header(self) -> bytes:
        header = BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "|u1", "fortran_order": False, "shape": self.shape}
        )
        return header.getvalue()


def _write(file: int, content: bytes, start: int) -> None:
    """Write all of ``content``: a full disk takes a part of it first, and raises at the next."""
    left = memoryview(content)
    while left:
        written = os.pwrite(file, left, start)
        left, start = left[written:], start + written


@lru_cache(maxsize=4096)
def _is_whole(file: BlockFile, _modified: int, length: int) -> bool:
    if length != file._length:
        return False
    descriptor = os.open(file.path, os.O_RDONLY)
    try:
        header = os.pread(descriptor, len(file._header), 0)
        return header == file._header and all(
            file._holds(descriptor, block) for block in range(file._count)
        )
    finally:
        os.close(descriptor)


@contextmanager
def _held(file: int, block: int, *, wait: bool) -> Iterator[bool]:
    """Lock a block; yields False if another process holds it and ``wait`` is false.

    A file system that has no locks costs double work and nothing else: all write the same bytes.
    """
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), 1, block)
    except OSError as error:
        if error.errno not in HELD | NO_LOCKS:
            raise
        yield error.errno in NO_LOCKS
        return
    try:
        yield True
    finally:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, block)
