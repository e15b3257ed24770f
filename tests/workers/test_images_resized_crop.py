"""Views of photographs against torchvision's transforms."""

import io
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms

from workers.images.resized_crop import DRAWS, central, crop_resized, random_box

SIDES = st.integers(1, 3000)
UNIT = st.floats(0, 1, exclude_max=True)


def photo(width: int, height: int, mode: str = "RGB") -> Image.Image:
    coarse = np.random.default_rng(0).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95)
    return Image.open(buffer)


@given(SIDES, SIDES, st.lists(UNIT, min_size=DRAWS, max_size=DRAWS))
def test_box_lies_inside(width: int, height: int, draws: list[float]) -> None:
    left, upper, right, lower = random_box(width, height, draws)
    assert 0 <= left < right <= width
    assert 0 <= upper < lower <= height


def test_box_of_known_draws() -> None:
    # 8 % + 0.25 · 92 % = 31 % of 400 · 300 pixels; the middle of the aspect ratios is 1.
    draws = [0.25, 0.5, *[0.0] * 18, 0.5, 0.999]
    side = round(math.sqrt(0.31 * 400 * 300))
    left = (400 - side + 1) // 2
    assert random_box(400, 300, draws) == (left, 300 - side, left + side, 300)


def test_box_that_never_fits_is_the_centre() -> None:
    whole = [0.9999, 0.5] * 10 + [0.0, 0.0]
    assert random_box(400, 100, whole) == (133, 0, 266, 100)
    assert random_box(90, 400, whole) == (0, 140, 90, 260)


def test_distribution_is_that_of_torchvision() -> None:
    torch.manual_seed(0)
    draws = np.random.default_rng(1).random((4000, DRAWS)).tolist()
    ours = np.array([random_box(500, 375, draw) for draw in draws])
    image = Image.new("L", (500, 375))
    crop = transforms.RandomResizedCrop
    theirs = np.array([crop.get_params(image, (0.08, 1), (3 / 4, 4 / 3)) for _ in range(4000)])
    top, left, height, width = theirs.T
    edges = np.stack([left, top, left + width, top + height], 1)
    # Means of 4,000 draws scatter by less than 2 pixels, quantiles by little more.
    np.testing.assert_allclose(ours.mean(0), edges.mean(0), atol=8)
    for level in (0.1, 0.5, 0.9):
        found, expected = (np.quantile(part, level, axis=0) for part in (ours, edges))
        np.testing.assert_allclose(found, expected, atol=20)


def test_crop_is_resized_as_torchvision_does() -> None:
    image = photo(300, 200)
    ours = np.asarray(crop_resized(image, (30, 20, 250, 180), 64)).astype(int)
    there = transforms.functional.resized_crop(image, 20, 30, 160, 220, [64, 64])
    # Only the antialiasing of the outermost pixels looks beyond the crop.
    np.testing.assert_array_equal(ours[2:-2, 2:-2], np.asarray(there)[2:-2, 2:-2])
    np.testing.assert_allclose(ours, there, atol=12)


@pytest.mark.parametrize(("box", "decoded"), [((0, 0, 400, 300), 2), ((80, 40, 200, 180), 1)])
def test_large_boxes_are_decoded_at_a_fraction(box: tuple[int, ...], decoded: int) -> None:
    file = jpeg(photo(400, 300))
    ours = np.asarray(crop_resized(file, box, 100)).astype(int)  # type: ignore[arg-type]
    assert file.width == 400 / decoded
    whole = np.asarray(crop_resized(photo(400, 300), box, 100))  # type: ignore[arg-type]
    assert np.abs(ours - whole).mean() < 3


@pytest.mark.parametrize("size", [(500, 375), (375, 500), (257, 257), (60, 90), (333, 500)])
@pytest.mark.parametrize("target", [224, 32])
def test_central_view_is_that_of_torchvision(size: tuple[int, int], target: int) -> None:
    image = photo(*size)
    steps = [transforms.Resize(round(target * 256 / 224)), transforms.CenterCrop(target)]
    there = np.asarray(transforms.Compose(steps)(image))
    np.testing.assert_array_equal(np.asarray(central(image, target)), there)


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "RGBA", "1"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    image = photo(40, 30, mode)
    for view in (central(image, 16), crop_resized(image, (2, 3, 30, 28), 16)):
        assert (view.mode, view.size) == ("RGB", (16, 16))
