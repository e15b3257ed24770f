"""A square window on a scaled photograph and on its label map, as networks for segmentation see it.

As in Lost in Pruning (2021): the short side is scaled to a length at random and a square cut out
at random to train on; the short side is scaled to that of the square, and its middle taken, to
test on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

DRAWS = 3
"""Uniform numbers in [0, 1) that one random window takes."""


@dataclass(frozen=True)
class Window:
    """A ``size`` by ``size`` window whose corner is (``left``, ``top``) of a scaled picture.

    Attributes:
        width, height: of the scaled picture, in pixels.
        left, top: where the window begins.
        size: of the window; where it exceeds the picture, to the right or below, it is filled.

    """

    width: int
    height: int
    left: int
    top: int
    size: int

    @classmethod
    def random(cls, width: int, height: int, size: int, draws: Sequence[float]) -> Window:
        """Scale the short side to a length uniform in half to double the size, and cut anywhere.

        513 pixels make the 256 to 1,024 of the paper.

        Args:
            width, height: of the picture, in pixels.
            size: of the window.
            draws: ``DRAWS`` uniform numbers in [0, 1).

        """
        shortest, longest = (size - 1) // 2, 2 * (size - 1)
        length, across, down = draws
        short = max(1, shortest + int(length * (longest - shortest + 1)))
        wide, high = _scaled(width, height, short)
        left, top = max(wide - size, 0), max(high - size, 0)
        return cls(wide, high, int(across * (left + 1)), int(down * (top + 1)), size)

    @classmethod
    def central(cls, width: int, height: int, size: int) -> Window:
        """Scale the short side to the size and take the middle."""
        wide, high = _scaled(width, height, size)
        return cls(wide, high, round((wide - size) / 2), round((high - size) / 2), size)

    def of_image(self, image: Image.Image) -> NDArray[np.uint8]:
        """Cut it out of a picture, bilinear with antialiasing: (size, size, 3), black outside."""
        from PIL.Image import Resampling

        return self._filled(image.convert("RGB"), Resampling.BILINEAR, 0)

    def of_labels(self, labels: Image.Image, outside: int) -> NDArray[np.uint8]:
        """Cut it out of a map of numbers, the nearest ones: (size, size), ``outside`` there."""
        from PIL.Image import Resampling

        return self._filled(labels, Resampling.NEAREST, outside)

    def _filled(
        self, whole: Image.Image, resampling: Image.Resampling, outside: int
    ) -> NDArray[np.uint8]:
        scaled = whole.resize((self.width, self.height), resampling)
        right, lower = (
            min(self.left + self.size, self.width),
            min(self.top + self.size, self.height),
        )
        inside = np.asarray(scaled.crop((self.left, self.top, right, lower)))
        window = np.full((self.size, self.size, *inside.shape[2:]), outside, np.uint8)
        window[: inside.shape[0], : inside.shape[1]] = inside
        return window


def _scaled(width: int, height: int, short: int) -> tuple[int, int]:
    """Scale the short side to ``short`` and the other one along, rounded down."""
    if width <= height:
        return short, short * height // width
    return short * width // height, short
