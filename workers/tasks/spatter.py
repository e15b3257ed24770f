"""Spatter: drops of water, or splashes of mud, on the lens.

Severities and definition: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    liquid l: N(m, s²) per pixel, Gaussian blur of standard deviation d, 0 below h
    water: x' = x + i · u / max u · (175, 238, 238) / 255 with u = l · relief, the relief being the
           distance from Canny's edges of l, cut at 20, blurred, histogram-equalised, embossed and
           blurred again, in 8 bits
    mud:   x' = (1 − v) · x + v · (63, 42, 20) / 255 with v = the Gaussian blur, of standard
           deviation i, of [l > h], 0 below 0.8

    severity  m     s    d    h     i    liquid
    cifar     0.62  0.1  0.7  0.7   0.5  water
              0.65  0.1  0.8  0.7   0.5  water
              0.65  0.3  1    0.69  0.5  water
              0.65  0.1  0.7  0.69  0.6  mud
              0.65  0.1  0.5  0.68  0.6  mud
    imagenet  0.65  0.3  4    0.69  0.6  water
              0.65  0.3  3    0.68  0.6  water
              0.65  0.3  2    0.68  0.5  water
              0.65  0.3  1    0.65  1.5  mud
              0.67  0.4  1    0.65  1.5  mud

The definition leaves max u = 0 open: such an image, which has no visible drop, stays as it is here.
One channel gets the grey of the liquid's colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

LIQUIDS = {
    "cifar": (
        (0.62, 0.1, 0.7, 0.7, 0.5, "water"),
        (0.65, 0.1, 0.8, 0.7, 0.5, "water"),
        (0.65, 0.3, 1.0, 0.69, 0.5, "water"),
        (0.65, 0.1, 0.7, 0.69, 0.6, "mud"),
        (0.65, 0.1, 0.5, 0.68, 0.6, "mud"),
    ),
    "imagenet": (
        (0.65, 0.3, 4.0, 0.69, 0.6, "water"),
        (0.65, 0.3, 3.0, 0.68, 0.6, "water"),
        (0.65, 0.3, 2.0, 0.68, 0.5, "water"),
        (0.65, 0.3, 1.0, 0.65, 1.5, "mud"),
        (0.67, 0.4, 1.0, 0.65, 1.5, "mud"),
    ),
}
COLOURS = {"water": (175, 238, 238), "mud": (63, 42, 20)}
OPAQUE = 0.8
"""Mud below this share does not stick."""


@dataclass(frozen=True, kw_only=True)
class Spatter(Corruption):
    """Spatter every image with water or mud."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw the liquid of every image and add or mix in its colour.

        The liquid is filtered in float64, since thresholds make a jump of any rounding error.
        """
        from workers.corruptions.gaussian_filter import gaussian_filter
        from workers.corruptions.grey import grey

        mean, deviation, blur, threshold, intensity, kind = self.at_severity(LIQUIDS)
        noise = pixels.new_empty(len(pixels), *pixels.shape[2:])
        noise.normal_(mean, deviation, generator=generator)
        liquid = gaussian_filter(noise.double(), (blur, blur))
        colour = pixels.new_tensor(COLOURS[kind]).view(1, 3, 1, 1) / 255
        if pixels.shape[1] == 1:
            colour = grey(colour)
        if kind == "water":
            drops = _drops(liquid.where(liquid >= threshold, 0), intensity)
            return pixels + drops.to(pixels.dtype)[:, None] * colour
        splashes = _splashes(liquid > threshold, intensity).to(pixels.dtype)[:, None]
        return pixels * (1 - splashes) + splashes * colour


def _splashes(liquid: torch.Tensor, deviation: float) -> torch.Tensor:
    """Blur the mask of the liquid, (n, height, width), and cut off its thin rim."""
    from workers.corruptions.gaussian_filter import gaussian_filter

    mask = gaussian_filter(liquid.double(), (deviation, deviation))
    return mask.where(mask >= OPAQUE, 0)


def _drops(liquid: torch.Tensor, intensity: float) -> torch.Tensor:
    """Light the liquid, (n, height, width), as drops of at most ``intensity``."""
    from workers.corruptions.relief import relief

    # What exceeds 8 bits wraps around, as it does in the published images.
    levels = (liquid * 255).int() & 255
    drops = (levels * relief(levels)).double()
    largest = drops.amax(dim=(1, 2), keepdim=True)
    return drops * (intensity / largest.clamp(min=1))
