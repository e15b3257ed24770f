"""Decoding threads: order, bounds, errors and their end."""

import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from workers.images.prefetch import AHEAD, Pixels, decode_batches

SHAPE = (2, 3, 1)
BATCHES = [list(range(first, min(first + 20, 110))) for first in range(0, 110, 20)]


def image(number: int) -> Pixels:
    return np.full(SHAPE, number, np.uint8)


def decoders() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("decode")]


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_batches_come_in_order(threads: int) -> None:
    def late(number: int) -> Pixels:
        time.sleep(0.001 * (number % 3))
        return image(number)

    found = list(decode_batches(late, BATCHES, SHAPE, threads))
    assert [pixels.shape for pixels in found] == [(20, *SHAPE)] * 5 + [(10, *SHAPE)]
    for batch, pixels in zip(BATCHES, found, strict=True):
        np.testing.assert_array_equal(pixels[:, 1, 2, 0], batch)
    assert not decoders()


def test_only_a_few_batches_are_under_way() -> None:
    asked = []

    def batches() -> Iterator[list[int]]:
        for batch in BATCHES:
            asked.append(batch)
            yield batch

    decoded = decode_batches(image, batches(), SHAPE, 2)
    assert not asked
    next(decoded)
    assert len(asked) == 1 + AHEAD
    next(decoded)
    assert len(asked) == 2 + AHEAD
    decoded.close()


def test_closing_ends_the_threads() -> None:
    done = []

    def slow(number: int) -> Pixels:
        time.sleep(0.002)
        done.append(number)
        return image(number)

    decoded = decode_batches(slow, BATCHES, SHAPE, 2)
    next(decoded)
    assert len(decoders()) == 2
    decoded.close()
    assert not decoders()
    assert len(done) < 110


def test_an_error_comes_out_and_ends_the_threads() -> None:
    def broken(number: int) -> Pixels:
        if number == 30:
            raise ValueError("image 30 is broken")
        return image(number)

    decoded = decode_batches(broken, BATCHES, SHAPE, 2)
    next(decoded)
    with pytest.raises(ValueError, match="image 30 is broken"):
        next(decoded)
    assert not decoders()
