"""The batched box filter against Pillow's, to the bit, at any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from workers.corruptions.box_filter import resize
from workers.tasks.pixelate import SCALE, Pixelate

SIZES = st.integers(1, 256)


def draw(seed: int, *shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def pillow(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BOX))


def pixelated(image: NDArray[np.uint8], severity: int) -> NDArray[np.uint8]:
    """Pixelate one image of (height, width) or (height, width, 3) by Pillow."""
    height, width = image.shape[:2]
    scale = SCALE["cifar"][severity - 1]
    small = pillow(image, max(1, int(height * scale)), max(1, int(width * scale)))
    return pillow(small, height, width)


@settings(max_examples=150, deadline=None)
@given(SIZES, SIZES, SIZES, SIZES, st.integers(0, 9))
def test_resize_equals_pillow(height, width, new_height, new_width, seed):
    image = draw(seed, height, width)
    ours = resize(torch.from_numpy(image), new_height, new_width).numpy()
    assert np.array_equal(ours, pillow(image, new_height, new_width))


# Pixels that lie on an end of the box, where rounding decides: found by going through all sizes.
@pytest.mark.parametrize(("old", "new"), [(19, 12), (23, 20), (23, 14), (27, 22), (3, 1), (256, 1)])
def test_resize_equals_pillow_where_a_pixel_lies_on_an_end(old, new):
    image = draw(0, old, old)
    assert np.array_equal(resize(torch.from_numpy(image), new, new), pillow(image, new, new))


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_pixelate_equals_pillow_at_every_size(severity):
    for size in range(1, 257):
        image = draw(size, size, size)
        pixels = torch.from_numpy(image)[None, None].float() / 255
        ours = Pixelate(severity=severity).corrupt(pixels, torch.Generator()) * 255
        assert np.array_equal(ours[0, 0].byte(), pixelated(image, severity)), size


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 256), st.integers(8, 256), st.integers(1, 5), st.sampled_from([1, 3]))
def test_pixelate_equals_pillow_on_batches_of_any_shape(height, width, severity, channels):
    images = draw(height * width, 3, height, width, channels)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    ours = (Pixelate(severity=severity).corrupt(pixels, torch.Generator()) * 255).byte()
    for image, made in zip(images, ours.permute(0, 2, 3, 1).numpy(), strict=True):
        expected = pixelated(image[..., 0] if channels == 1 else image, severity)
        assert np.array_equal(made, expected.reshape(image.shape))
