"""Frost: crystals of ice on the lens.

Severities and formula: CIFAR-10-C and ImageNet-C, Hendrycks & Dietterich (2019), "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations".

    x' = a · x + b · a random crop of a random one of five pictures of frost

    severity         1       2         3         4          5
    a, b  cifar      1, 0.2  1, 0.3    0.9, 0.4  0.85, 0.4  0.75, 0.45
          imagenet   1, 0.4  0.8, 0.6  0.7, 0.7  0.65, 0.7  0.6, 0.75

Of the pictures ``cifar`` takes every fifth row and column, ``imagenet`` all of them. They are not
the photographs of the publication but drawn by rule, with about their colours and contrast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Corruption

if TYPE_CHECKING:
    import torch

WEIGHTS = {
    "cifar": ((1.0, 0.2), (1.0, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    "imagenet": ((1.0, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
}
STRIDE = {"cifar": 5, "imagenet": 1}


@dataclass(frozen=True, kw_only=True)
class Frost(Corruption):
    """Cover every image with frost."""

    def corrupt(self, pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Draw which picture each image gets, then the first row and column of each crop."""
        import torch

        from workers.corruptions.chunks import in_chunks
        from workers.corruptions.frost_textures import frost_crops
        from workers.corruptions.grey import grey

        crops = frost_crops(STRIDE[self.severities], *pixels.shape[2:])
        number, device = len(pixels), generator.device
        which = torch.randint(crops.shape[0], (number,), generator=generator, device=device)
        start = torch.randint(crops.shape[1], (number, 2), generator=generator, device=device)
        image_weight, ice_weight = self.at_severity(WEIGHTS)

        def frosted(pixels: torch.Tensor, which: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
            ice = crops[which, start[:, 0], start[:, 1]].to(pixels).div_(255)
            ice = grey(ice) if pixels.shape[1] == 1 else ice
            return ice.mul_(ice_weight).add_(image_weight * pixels)

        return in_chunks(frosted, pixels, which.cpu(), start.cpu())
