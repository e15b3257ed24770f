"""Elastic deformation: a random affine map, then a smooth random displacement.

Severities and formula: CIFAR-10-C, Hendrycks & Dietterich (2019), "Benchmarking Neural Network
Robustness to Common Corruptions and Perturbations". ImageNet-C gives pixels that fit images of 224
× 224 alone; ``imagenet`` is what Michaelis et al. (2019), "Benchmarking Robustness in Object
Detection", make of it for any size (their package ``imagecorruptions``).

    three points about the centre move by U(−jitter, jitter) along either axis, which fixes the map;
    every pixel is displaced by strength · U(−1, 1), smoothed by a Gaussian filter over the image

    severity                          1       2        3        4      5
    strength / height, cifar          0       0.05     0.08     0.1    0.1
    standard deviation / size, cifar  0       0.2      0.06     0.04   0.03
    jitter / height, cifar            0.08    0.07     0.06     0.05   0.03
    strength / height, imagenet       0.0625  0.08125  0.10625  0.125  0.15

    imagenet: standard deviation / size 0.01, and no affine map
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption
from workers.corruptions.levels import LIFT

if TYPE_CHECKING:
    import torch

STRENGTH_DEVIATION_JITTER = {
    "cifar": (
        (0.0, 0.0, 0.08),
        (0.05, 0.2, 0.07),
        (0.08, 0.06, 0.06),
        (0.1, 0.04, 0.05),
        (0.1, 0.03, 0.03),
    ),
    "imagenet": (
        (0.0625, 0.01, 0.0),
        (0.08125, 0.01, 0.0),
        (0.10625, 0.01, 0.0),
        (0.125, 0.01, 0.0),
        (0.15, 0.01, 0.0),
    ),
}
TRUNCATE = 3.0


@dataclass(frozen=True, kw_only=True)
class ElasticTransform(Corruption):
    """Stretch every image its own way."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Map, then displace; a step of size 0 is left out and draws nothing."""
        strength, deviation, jitter = self.at_severity(STRENGTH_DEVIATION_JITTER)
        if jitter:
            pixels = _mapped(pixels, jitter, generator)
        if strength:
            pixels = _displaced(pixels, strength, deviation, generator)
        return pixels.add_(LIFT)


def _mapped(pixels: torch.Tensor, jitter: float, generator: torch.Generator) -> torch.Tensor:
    """Draw where three points (x, y) go; every pixel comes from where the map takes it from."""
    import torch
    from torch.nn.functional import pad

    from workers.corruptions.interpolation import interpolate

    number, _, height, width = pixels.shape
    corners = pixels.new_tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]) * (min(height, width) // 3)
    corners = corners + pixels.new_tensor([width // 2, height // 2])
    moves = pixels.new_empty(number, 3, 2).uniform_(-1, 1, generator=generator) * jitter * height
    moved = pad(corners + moves, (0, 1), value=1.0)
    inverse = torch.linalg.solve(moved, corners.expand(number, -1, -1))
    of_column, of_row, offset = inverse.permute(1, 2, 0)[..., None, None]
    rows, columns = _rows_and_columns(pixels)
    from_columns, from_rows = columns * of_column + rows * of_row + offset
    return interpolate(pixels, from_rows, from_columns, "mirror")


def _displaced(
    pixels: torch.Tensor, strength: float, deviation: float, generator: torch.Generator
) -> torch.Tensor:
    """Draw a displacement along x and one along y for every pixel, and smooth them."""
    from workers.corruptions.chunks import in_chunks
    from workers.corruptions.gaussian_filter import gaussian_filter
    from workers.corruptions.interpolation import interpolate

    number, _, height, width = pixels.shape
    draws = pixels.new_empty(number, 2, height, width).uniform_(-1, 1, generator=generator)
    moves = gaussian_filter(draws, (deviation * height, deviation * width), "reflect", TRUNCATE)
    moves = moves.mul_(strength).mul_(height)
    rows, columns = _rows_and_columns(pixels)

    def displaced(pixels: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
        return interpolate(pixels, rows + moves[:, 1], columns + moves[:, 0], "reflect")

    return in_chunks(displaced, pixels, moves)


def _rows_and_columns(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Number the rows, (height, 1), and the columns, (width,)."""
    import torch

    height, width = pixels.shape[2:]
    return torch.arange(height).to(pixels)[:, None], torch.arange(width).to(pixels)
