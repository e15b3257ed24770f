"""Glass blur, as of frosted glass: neighbouring pixels change places between two Gaussian blurs.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    blur, cut to 8 bits; then ``sweeps`` times: from the last pixel to the first, but for a margin,
    every pixel is overwritten by the one −d … d − 1 rows and columns away; then blur again

    severity                       1     2     3    4     5
    standard deviation, cifar      0.05  0.25  0.4  0.25  0.4
    distance d, cifar              1     1     1    1     1
    sweeps, cifar                  1     1     1    2     2
    standard deviation, imagenet   0.7   0.9   1.0  1.1   1.5
    distance d, imagenet           1     2     2    3     4
    sweeps, imagenet               2     1     3    2     2

The published code means to swap two pixels but copies one over the other, and so does this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption
from workers.corruptions.levels import LIFT

if TYPE_CHECKING:
    import torch

DEVIATION_DISTANCE_SWEEPS = {
    "cifar": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    "imagenet": ((0.7, 1, 2), (0.9, 2, 1), (1.0, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
}


@dataclass(frozen=True, kw_only=True)
class GlassBlur(Corruption):
    """Displace pixels at random between two blurs."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Blur, sweep, blur."""
        from workers.corruptions.gaussian_filter import gaussian_filter

        deviation, distance, sweeps = self.at_severity(DEVIATION_DISTANCE_SWEEPS)
        levels = (gaussian_filter(pixels, (deviation, deviation)) + LIFT).mul_(255).floor_()
        for _ in range(sweeps):
            levels = _sweep(levels, distance, generator)
        return gaussian_filter(levels / 255, (deviation, deviation)) + LIFT


def _sweep(images: torch.Tensor, distance: int, generator: torch.Generator) -> torch.Tensor:
    """Overwrite pixels in the order from last to first, in all images at once."""
    import torch

    number, _, height, width = images.shape
    inside = [slice(distance + 1, size - distance + 1) for size in (height, width)]
    place = torch.arange(height * width, device=images.device).view(height, width)
    swept = place[inside[0], inside[1]]
    steps = torch.randint(
        -distance,
        distance,
        (number, 2, *swept.shape),
        generator=generator,
        device=images.device,
    )
    partner = swept + steps[:, 0] * width + steps[:, 1]
    source = place.repeat(number, 1, 1)
    source[:, inside[0], inside[1]] = partner + (partner > swept) * place.numel()
    flat = images.flatten(2)
    return flat.gather(2, _follow(source.flatten(1))[:, None].expand_as(flat)).view_as(images)


def _follow(source: torch.Tensor) -> torch.Tensor:
    """Resolve references to pixels that were overwritten before they were copied.

    Such a reference is the place plus the number of places, and its own source counts. All are
    followed at once, and each round doubles how far they reach.

    Args:
        source: (n, places), below twice the number of places.

    Returns:
        (n, places): the place before the sweep that each pixel comes from.

    """
    import torch

    places = source.shape[1]
    while bool((open_ended := source >= places).any()):
        source = torch.where(open_ended, source.gather(1, source % places), source)
    return source
