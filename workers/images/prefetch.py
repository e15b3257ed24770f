"""Images decoded by threads, a few batches ahead of whoever wants them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
Pixels = NDArray[np.uint8]

AHEAD = 3
"""Batches under way while the caller works on one."""
CHUNK = 8
"""Images that a thread decodes before it looks for other work."""


def decode_batches(
    decode: Callable[[Item], Pixels],
    batches: Iterable[Sequence[Item]],
    shape: tuple[int, int, int],
    threads: int,
) -> Generator[Pixels, None, None]:
    """Decode batch after batch, in order; Pillow leaves the interpreter free meanwhile.

    Closing the iterator ends the threads. What ``decode`` raises, this raises.

    Args:
        decode: makes one image of ``shape`` of one item; called from several threads at once.
        batches: of items.
        shape: (height, width, channels).
        threads: how many decode.

    Yields:
        Arrays of shape (items, \\*shape).

    """
    under_way: deque[tuple[Pixels, list[Future[None]]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        for batch in batches:
            under_way.append(_start(pool, decode, batch, shape))
            if len(under_way) > AHEAD:
                yield _finish(*under_way.popleft())
        while under_way:
            yield _finish(*under_way.popleft())
    finally:
        pool.shutdown(cancel_futures=True)


def _start(
    pool: ThreadPoolExecutor,
    decode: Callable[[Item], Pixels],
    batch: Sequence[Item],
    shape: tuple[int, int, int],
) -> tuple[Pixels, list[Future[None]]]:
    pixels = np.empty((len(batch), *shape), np.uint8)

    def fill(first: int) -> None:
        for row in range(first, min(first + CHUNK, len(batch))):
            pixels[row] = decode(batch[row])

    return pixels, [pool.submit(fill, first) for first in range(0, len(batch), CHUNK)]


def _finish(pixels: Pixels, parts: list[Future[None]]) -> Pixels:
    for part in parts:
        part.result()
    return pixels
