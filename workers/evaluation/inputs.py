"""The pixels of a task, corrupted once per data set and memory-mapped by all trials of a node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from workers.contracts import Task
from workers.evaluation.block_file import BlockFile
from workers.evaluation.seeding import block_generator, block_size

Pixels = NDArray[np.uint8]


def task_pixels(pixels: Pixels, task: Task, *, key: str, fingerprint: str, cache: Path) -> Pixels:
    """Return what ``task`` makes of the clean ``pixels``, from ``cache`` where it is there.

    Processes that ask at the same time share the work. Each makes as many blocks at once as torch
    may use threads, every block on one, so that no byte depends on how many there are.

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
    size = block_size(pixels.shape)
    made_of = f"{fingerprint}/{key}/{pixels.shape}/{size}"
    path = cache / "inputs" / f"{sha256(made_of.encode()).hexdigest()}.npy"
    file = BlockFile(path, pixels.shape, size)
    if not file.is_whole():
        with _one_thread_each() as threads:
            file.fill(lambda block: corrupt_block(pixels, task, key, block), threads)
    return file.read()


def corrupt_block(pixels: Pixels, task: Task, key: str, block: int) -> Pixels:
    """Corrupt the block of that index: clipped to [0, 1] and truncated, not rounded, to 8 bits."""
    size = block_size(pixels.shape)
    clean = pixels[block * size : (block + 1) * size]
    # np.array copies: the pixels may be read-only, which tensors cannot express.
    images = torch.from_numpy(np.array(clean)).permute(0, 3, 1, 2)
    # To float32 and to planes in one step, which is a quarter of the time of two.
    planes = torch.empty(images.shape).copy_(images).div_(255)
    corrupted = task.corrupt(planes, block_generator(key, block))
    levels = corrupted.clamp_(0, 1).mul_(255).byte().permute(0, 2, 3, 1)
    return levels.contiguous().numpy()


@contextmanager
def _one_thread_each() -> Iterator[int]:
    """Make every operation of torch use one thread; yields how many it used before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)
