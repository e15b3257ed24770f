"""Five pictures of window frost, drawn by rule: feathers of ice over a clouded pane.

The textures repeat seamlessly, so that a crop of any size can start anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Plane = NDArray[np.float64]
SIZE = 640
BARBS, POINTS = 26, 48
"""Barbs on each side of a feather's stem, and points of which each is drawn."""


@dataclass(frozen=True)
class Pane:
    """How one texture looks.

    Attributes:
        colour: mean levels of red, green and blue.
        contrast: standard deviation of the levels.
        feathers: how many.
        length: of the longest stem, pixels.
        ice: share of the contrast that the feathers make; clouds and grain make the rest.

    """

    colour: tuple[int, int, int]
    contrast: int
    feathers: int
    length: int
    ice: float


PANES = (
    Pane((78, 149, 166), 17, 400, 120, 0.5),
    Pane((201, 205, 215), 21, 500, 220, 0.7),
    Pane((195, 202, 213), 22, 250, 300, 0.7),
    Pane((138, 153, 165), 28, 700, 100, 0.75),
    Pane((112, 123, 135), 42, 350, 200, 0.8),
)
"""Mean colours and contrasts are about those of the photographs behind CIFAR-10-C."""


@cache
def frost_textures() -> NDArray[np.uint8]:
    """Draw the textures, once per process and always the same: (5, SIZE, SIZE, 3) levels."""
    return np.stack([_texture(pane, np.random.default_rng(i)) for i, pane in enumerate(PANES)])


@lru_cache(maxsize=2)
def frost_crops(stride: int, height: int, width: int) -> Tensor:
    """View all crops of the textures: (5, first row, first column, 3, height, width) levels.

    Args:
        stride: rows and columns of a texture for each that is taken, beginning at half of it.
        height: of a crop; textures repeat in both directions.
        width: of a crop.

    """
    taken = slice(stride // 2, None, stride)
    planes = torch.from_numpy(frost_textures())[:, taken, taken].permute(0, 3, 1, 2)
    rows, columns = (torch.arange(planes.shape[2] + more - 1) for more in (height, width))
    repeated = planes[:, :, rows % planes.shape[2]][..., columns % planes.shape[3]]
    return repeated.unfold(2, height, 1).unfold(3, width, 1).permute(0, 2, 3, 1, 4, 5)


def _texture(pane: Pane, draw: np.random.Generator) -> NDArray[np.uint8]:
    ice = _standardised(_relief(_feathers(pane, draw)))
    clouds, grain = (_standardised(_noise(draw, slope)) for slope in (1.6, 0.8))
    rest = np.sqrt((1 - pane.ice**2) / 2)
    light = _standardised(pane.ice * ice + rest * (clouds + grain))
    levels = np.array(pane.colour) + pane.contrast * light[..., None]
    return levels.clip(0, 255).astype(np.uint8)


def _feathers(pane: Pane, draw: np.random.Generator) -> Plane:
    """Draw curved stems with straight barbs on both sides, shorter towards the tip.

    Axes: feather, place along the stem, side (−1, 1, and 0 for the stem itself), point on the barb.
    """
    each, barb = (pane.feathers, 1, 1, 1), (pane.feathers, BARBS, 3, 1)
    x, y = SIZE * draw.random((2, *each))
    length = pane.length * (0.2 + 0.8 * draw.random(each) ** 2)
    along = np.linspace(0, 1, BARBS).reshape(1, -1, 1, 1)
    side = np.array([-1, 1, 0]).reshape(1, 1, -1, 1)
    out = np.linspace(0, 1, POINTS)
    stem = 2 * np.pi * draw.random(each) + 1.2 * (draw.random(each) - 0.5) * along
    turn = stem + side * np.pi * (0.12 + 0.18 * draw.random(each))
    reach = (0.2 + 0.25 * draw.random(each)) * (1 - along) * (0.4 + 0.6 * draw.random(barb))
    extent = length * np.where(side == 0, 1 / BARBS, reach)
    xs = x + length / BARBS * np.cos(stem).cumsum(1) + out * extent * np.cos(turn)
    ys = y + length / BARBS * np.sin(stem).cumsum(1) + out * extent * np.sin(turn)
    thickness = (0.3 + 0.7 * draw.random(each)) * (1 - 0.6 * out) * extent / POINTS
    return _splat(xs, ys, thickness)


def _splat(x: Plane, y: Plane, weight: Plane) -> Plane:
    """Add up weights on the nearest pixels; what leaves at one edge comes in at the other."""
    place = np.rint(y).astype(int) % SIZE * SIZE + np.rint(x).astype(int) % SIZE
    total = np.bincount(place.ravel(), weight.ravel(), SIZE * SIZE)
    return total.astype(np.float64).reshape(SIZE, SIZE)


def _relief(thickness: Plane) -> Plane:
    """Make ice whiter where it is thicker, and light it from one corner."""
    for axis in (0, 1):
        thickness = thickness + (np.roll(thickness, 1, axis) + np.roll(thickness, -1, axis)) / 2
    ice: Plane = 1 - np.exp(-thickness / thickness.mean())
    return 1.5 * ice - np.roll(ice, (3, 3), (0, 1))


def _noise(draw: np.random.Generator, slope: float) -> Plane:
    """Filter white noise to an amplitude of 1 / frequency^slope."""
    frequency = np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE))
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(draw.random((SIZE, SIZE))) / frequency**slope
    noise: Plane = np.fft.irfft2(spectrum, (SIZE, SIZE))
    return noise


def _standardised(plane: Plane) -> Plane:
    standardised: Plane = (plane - plane.mean()) / plane.std()
    return standardised
