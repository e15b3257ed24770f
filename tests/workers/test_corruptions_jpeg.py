"""JPEG without a codec against Pillow's, to the bit, at any size and quality."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from workers.corruptions.jpeg import recode, recode_by_pillow

Pixels = NDArray[np.uint8]
SIZES = st.integers(1, 70)


def pillow(image: Pixels, quality: int) -> Pixels:
    file = io.BytesIO()
    grey = image.shape[2] == 1
    Image.fromarray(image[..., 0] if grey else image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)).reshape(image.shape)


def ours(image: Pixels, quality: int) -> Pixels:
    planes = torch.from_numpy(image).permute(2, 0, 1)[None]
    return recode(planes, quality)[0].permute(1, 2, 0).numpy()


def draw(kind: str, height: int, width: int, channels: int, seed: int) -> Pixels:
    random = np.random.default_rng(seed)
    shape = (height, width, channels)
    if kind == "noise":
        return random.integers(0, 256, shape, dtype=np.uint8)
    if kind == "extremes":
        return np.uint8(255) * random.integers(0, 2, shape, dtype=np.uint8)
    y, x = np.mgrid[:height, :width]
    slopes = random.integers(-9, 10, (2, channels))
    ramp = 128 + y[..., None] * slopes[0] + x[..., None] * slopes[1]
    return np.clip(ramp + random.integers(0, 20, shape), 0, 255).astype(np.uint8)


@settings(max_examples=200)
@given(
    st.sampled_from(["noise", "extremes", "ramp"]),
    SIZES,
    SIZES,
    st.sampled_from([1, 3]),
    st.integers(1, 100),
    st.integers(0, 9),
)
@example("ramp", 224, 224, 3, 25, 0)
@example("noise", 4, 4, 3, 50, 0)  # colour of two columns, which are repeated
@example("noise", 17, 5, 3, 50, 0)  # colour of three, which are interpolated
def test_recoding_equals_pillow(kind, height, width, channels, quality, seed):
    image = draw(kind, height, width, channels, seed)
    assert np.array_equal(ours(image, quality), pillow(image, quality))


@pytest.mark.parametrize("channels", [1, 3])
def test_both_ways_agree(channels):
    images = torch.from_numpy(draw("ramp", 2 * 40, 33, channels, 0)).view(2, 40, 33, channels)
    planes = images.permute(0, 3, 1, 2)
    assert torch.equal(recode_by_pillow(planes, 40), recode(planes, 40))


@pytest.mark.parametrize("level", [0, 100, 255])
def test_an_even_grey_stays(level):
    even = torch.full((2, 3, 9, 20), level, dtype=torch.uint8)
    assert torch.equal(recode(even, 75), even)
