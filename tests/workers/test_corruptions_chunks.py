"""Work in chunks: what comes out, and how many images a chunk has."""

from __future__ import annotations

import pytest
import torch

from workers.corruptions.chunks import VALUES, chunk_length, in_chunks


@pytest.mark.parametrize("number", [0, 1, 7, 100])
def test_chunks_together_are_the_whole(number):
    images = torch.rand(number, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    added = torch.arange(number).view(-1, 1, 1, 1)
    sizes = []

    def add(images: torch.Tensor, added: torch.Tensor) -> torch.Tensor:
        sizes.append(len(images))
        return images + added

    assert torch.equal(in_chunks(add, images, added), images + added)
    assert sum(sizes) == number
    assert max(sizes) * 3 * 48 * 48 <= VALUES


def test_the_argument_stays_as_it_is():
    images = torch.zeros(200, 3, 32, 32)
    in_chunks(lambda chunk: chunk + 1, images)
    assert not images.any()


def test_an_image_above_the_limit_is_a_chunk():
    assert chunk_length(torch.zeros(3, 1, 1024, 1024)) == 1
