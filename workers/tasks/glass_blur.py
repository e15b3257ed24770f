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
        import torch

        from workers.corruptions.chunks import in_chunks
        from workers.corruptions.gaussian_filter import gaussian_filter

        deviation, distance, sweeps = self.at_severity(DEVIATION_DISTANCE_SWEEPS)
        swept = [max(0, size - 2 * distance) for size in pixels.shape[2:]]
        steps = [
            torch.randint(
                -distance,
                distance,
                (len(pixels), 2, *swept),
                generator=generator,
                device=pixels.device,
                dtype=torch.int32,
            )
            for _ in range(sweeps)
        ]
        blurred = gaussian_filter(pixels, (deviation, deviation)).add_(LIFT)
        levels = in_chunks(_sweep, blurred.mul_(255).floor_(), *steps)
        return gaussian_filter(levels.div_(255), (deviation, deviation)).add_(LIFT)


def _sweep(images: torch.Tensor, *sweeps: torch.Tensor) -> torch.Tensor:
    """Overwrite pixels in the order from last to first, in all images at once.

    Args:
        images: (n, channels, height, width).
        sweeps: (n, 2, …), ``int32`` each, how far down and to the right a pixel is copied from; of
            the pixels it leaves out a margin, one wider above and to the left.

    """
    import torch

    number, channels, height, width = images.shape
    place = torch.arange(number * height * width, device=images.device, dtype=torch.int32)
    flat = images.transpose(0, 1).reshape(channels, -1)
    for steps in sweeps:
        rows, columns = steps.shape[2:]
        top, left = (height - rows) // 2 + 1, (width - columns) // 2 + 1
        source = place.view(number, height, width).clone()
        inside = source[:, top : top + rows, left : left + columns]
        jump = steps[:, 0] * width + steps[:, 1]
        inside += jump + jump.clamp(0, 1) * len(place)
        flat = flat.index_select(1, _follow(source.flatten()))
    return flat.view(channels, number, height, width).transpose(0, 1)


def _follow(source: torch.Tensor) -> torch.Tensor:
    """Resolve references to pixels that were overwritten before they were copied.

    Such a reference is the place plus the number of places, and its own source counts. All are
    followed at once, and each round doubles how far they reach.

    Args:
        source: (places,), below twice the number of places.

    Returns:
        (places,): the place before the sweep that each pixel comes from.

    """
    import torch

    if not len(source):
        return source
    place = torch.arange(len(source), device=source.device, dtype=source.dtype)
    while int(source.max()) >= len(source):
        source = torch.cat([place, source]).index_select(0, source)
    return source
