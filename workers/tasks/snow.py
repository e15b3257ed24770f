"""Snowfall: blurred streaks over a whitened image.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    flakes f: N(m, s²) per pixel, enlarged z times, 0 below h, blurred along an angle of
    −135° to −45° with radius r and standard deviation d
    x' = w · x + (1 − w) · max(x, 1.5 · grey(x) + 0.5) + f + f turned by 180°

    severity  m     s    z     h     r   d   w
    cifar     0.1   0.2  1     0.6   8   3   0.95
              0.1   0.2  1     0.5   10  4   0.9
              0.15  0.3  1.75  0.55  10  4   0.9
              0.25  0.3  2.25  0.6   12  6   0.85
              0.3   0.3  1.25  0.65  14  12  0.8
    imagenet  0.1   0.3  3     0.5   10  4   0.8
              0.2   0.3  2     0.5   12  4   0.7
              0.55  0.3  4     0.9   12  8   0.7
              0.55  0.3  4.5   0.85  12  8   0.65
              0.55  0.3  2.5   0.85  12  12  0.55

The flakes are truncated to 8 bits before and after the blur, as an 8-bit image library does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nextafter
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

SNOWFALL = {
    "cifar": (
        (0.1, 0.2, 1.0, 0.6, 8, 3.0, 0.95),
        (0.1, 0.2, 1.0, 0.5, 10, 4.0, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4.0, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6.0, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12.0, 0.8),
    ),
    "imagenet": (
        (0.1, 0.3, 3.0, 0.5, 10, 4.0, 0.8),
        (0.2, 0.3, 2.0, 0.5, 12, 4.0, 0.7),
        (0.55, 0.3, 4.0, 0.9, 12, 8.0, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8.0, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12.0, 0.55),
    ),
}
ANGLES = (-135.0, -45.0)


@dataclass(frozen=True, kw_only=True)
class Snow(Corruption):
    """Whiten every image and let snow fall over it."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw the flakes of all images, then one angle per image."""
        from workers.corruptions.chunks import in_chunks

        mean, deviation, zoom, threshold, *_ = self.at_severity(SNOWFALL)
        noise = pixels.new_empty(len(pixels), 1, *pixels.shape[2:])
        noise.normal_(mean, deviation, generator=generator)
        angles = pixels.new_empty(len(pixels)).uniform_(*ANGLES, generator=generator)
        return in_chunks(self._snowed, pixels, _flakes(noise, zoom, threshold), angles)

    def _snowed(
        self, pixels: torch.Tensor, flakes: torch.Tensor, angles: torch.Tensor
    ) -> torch.Tensor:
        from workers.corruptions.grey import grey
        from workers.corruptions.motion import motion_blur

        *_, radius, sigma, weight = self.at_severity(SNOWFALL)
        streaks = motion_blur(flakes, radius, sigma, angles)
        # Where a sum of float32 is a whole level, its error must not cost that level.
        snow = streaks.add_(1e-3).floor_().div_(255)
        whitened = (1.5 * grey(pixels)).add_(0.5).maximum(pixels)
        mixed = (weight * pixels).add_(whitened.mul_(1 - weight))
        return mixed.add_(snow).add_(snow.flip(2, 3))


def _flakes(noise: torch.Tensor, zoom: float, threshold: float) -> torch.Tensor:
    """Enlarge the noise and keep what is high, as 8-bit levels.

    Thresholds make a jump of any rounding error, so this is done in float64.
    """
    import torch

    from workers.corruptions.zoom import clipped_zoom

    flakes = clipped_zoom(noise.double(), zoom)
    kept = torch.nn.functional.threshold(flakes, nextafter(threshold, 0), 0)
    return kept.clamp_(0, 1).mul_(255).floor_().to(noise.dtype)
