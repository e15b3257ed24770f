"""The pixels of a task: corrupted once per data set, then memory-mapped by every trial of a node.

A cached file is an ordinary ``.npy`` followed by the SHA-256 of what precedes it, so that one
rename commits it and a torn file is noticed and made again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import torch
from numpy.typing import NDArray

from workers.contracts import Task
from workers.evaluation.seeding import BLOCK, block_generator

Pixels = NDArray[np.uint8]
DIGEST = sha256().digest_size


def task_pixels(pixels: Pixels, task: Task, *, key: str, fingerprint: str, cache: Path) -> Pixels:
    """Return what ``task`` makes of the clean ``pixels``, from ``cache`` where it is there.

    Args:
        pixels: (examples, height, width, channels).
        task: returned unchanged unless it corrupts.
        key: identifies the task, and seeds it.
        fingerprint: identifies ``pixels`` of that shape.
        cache: folder of the files; several processes may share it.

    Returns:
        The shape of ``pixels``; read-only.

    """
    if not task.corrupts:
        return pixels
    made_of = f"{fingerprint}/{key}/{pixels.shape}"
    path = cache / "inputs" / f"{sha256(made_of.encode()).hexdigest()}.npy"
    if not _is_whole(path):
        _generate(path, pixels, task, key)
    stored: Pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    return stored


def corrupt_block(pixels: Pixels, task: Task, key: str, block: int) -> Pixels:
    """Corrupt the block of that index: clipped to [0, 1] and truncated, not rounded, to 8 bits."""
    clean = pixels[block * BLOCK : (block + 1) * BLOCK]
    # np.array copies: the pixels may be read-only, which tensors cannot express.
    planes = torch.from_numpy(np.array(clean)).permute(0, 3, 1, 2).contiguous().float() / 255
    corrupted = task.corrupt(planes, block_generator(key, block))
    levels = corrupted.clamp(0, 1).mul_(255).byte().permute(0, 2, 3, 1)
    return levels.contiguous().numpy()


def _generate(path: Path, pixels: Pixels, task: Task, key: str) -> None:
    """Write beside ``path``, then rename; processes that race write the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        try:
            digest = sha256()
            for content in _contents(pixels, task, key):
                file.write(content)
                digest.update(content)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _contents(pixels: Pixels, task: Task, key: str) -> Iterator[bytes]:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": pixels.shape}
    )
    yield header.getvalue()
    for block in range(-(-len(pixels) // BLOCK)):
        yield corrupt_block(pixels, task, key, block).tobytes()


def _is_whole(path: Path) -> bool:
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    return _digest_holds(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _digest_holds(path: Path, _modified: int, size: int) -> bool:
    """Check the file against its last bytes, once per process and version of the file."""
    digest = sha256()
    with path.open("rb") as file:
        left = size - DIGEST
        while left > 0 and (content := file.read(min(left, 1 << 20))):
            digest.update(content)
            left -= len(content)
        return left == 0 and file.read() == digest.digest()
