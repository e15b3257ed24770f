"""A square view of a photograph: a random one to train on, the central one to test on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)
TRIES = 10
DRAWS = 2 * TRIES + 2
"""Uniform numbers in [0, 1) that one random crop takes."""

Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge, in pixels."""


def random_box(width: int, height: int, draws: Sequence[float]) -> Box:
    """Choose part of a picture at random (Szegedy et al., Going deeper with convolutions, 2015).

    Its area is uniform in 8 % to 100 % of the picture's, the logarithm of its aspect ratio in that
    of 3/4 to 4/3, its place in where it fits. A shape that does not fit is drawn again; after ten
    of them the central part of the nearest allowed aspect ratio is taken.

    Args:
        width, height: of the picture, in pixels.
        draws: ``DRAWS`` uniform numbers in [0, 1).

    """
    across, down = draws[-2:]
    for area, aspect in zip(draws[: 2 * TRIES : 2], draws[1 : 2 * TRIES : 2], strict=True):
        pixels = width * height * (AREA[0] + area * (AREA[1] - AREA[0]))
        ratio = ASPECT[0] ** (1 - aspect) * ASPECT[1] ** aspect
        w, h = round(math.sqrt(pixels * ratio)), round(math.sqrt(pixels / ratio))
        if 0 < w <= width and 0 < h <= height:
            break
    else:
        w, h = min(width, round(height * ASPECT[1])), min(height, round(width / ASPECT[0]))
        return _box((width - w) // 2, (height - h) // 2, w, h)
    return _box(int(across * (width - w + 1)), int(down * (height - h + 1)), w, h)


def crop_resized(image: Image.Image, box: Box, size: int) -> Image.Image:
    """Scale what is in ``box`` to ``size`` by ``size`` pixels, RGB, bilinear with antialiasing.

    A JPEG file that was not decoded yet is decoded at a half, quarter or eighth of its size where
    the box then still has ``size`` pixels.
    """
    from PIL import Image

    width, height = image.size
    left, upper, right, lower = box
    wanted = math.ceil(width * size / (right - left)), math.ceil(height * size / (lower - upper))
    image.draft(None, wanted)
    x, y = image.width / width, image.height / height
    scaled = (left * x, upper * y, right * x, lower * y)
    return _rgb(image).resize((size, size), Image.Resampling.BILINEAR, box=scaled)


def central(image: Image.Image, size: int) -> Image.Image:
    """Scale the short side to 256/224 of ``size`` and take the ``size`` by ``size`` pixels inside.

    RGB, bilinear with antialiasing; to the bit what torchvision's Resize and CenterCrop make.
    """
    from PIL import Image

    short = round(size * 256 / 224)
    width, height = (int(short * side / min(image.size)) for side in image.size)
    whole = _rgb(image).resize((width, height), Image.Resampling.BILINEAR)
    return whole.crop(_box(round((width - size) / 2), round((height - size) / 2), size, size))


def _box(left: int, upper: int, width: int, height: int) -> Box:
    return left, upper, left + width, upper + height


def _rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")
