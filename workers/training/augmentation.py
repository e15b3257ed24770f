"""What is random about the images of an epoch: their order, their crops and their mirror images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.contracts import Training
from workers.training.seeding import generator


@dataclass(frozen=True)
class EpochDraws:
    """The random choices of one epoch, drawn at once on the CPU and thus the same on every device.

    Attributes:
        order: (examples,), which image comes when.
        top, left: (examples,), where the crop starts in the padded image.
        mirrored: (examples,), whether the image is flipped left to right.

    """

    order: Tensor
    top: Tensor
    left: Tensor
    mirrored: Tensor

    @classmethod
    def draw(cls, examples: int, recipe: Training, seed: int, epoch: int) -> Self:
        """Draw from (seed, epoch) alone, so that a resumed epoch repeats the interrupted one."""
        source = generator(seed, "images", epoch)
        order = torch.randperm(examples, generator=source)
        top, left = torch.randint(2 * recipe.crop + 1, (2, examples), generator=source)
        flips = torch.randint(2, (examples,), generator=source, dtype=torch.bool)
        return cls(order, top, left, flips & recipe.flip)

    def to(self, device: torch.device) -> Self:
        """Move the draws to ``device``."""
        moved = (part.to(device) for part in (self.order, self.top, self.left, self.mirrored))
        return type(self)(*moved)


def crop_and_mirror(
    pixels: Tensor, padding: int, top: Tensor, left: Tensor, mirrored: Tensor
) -> Tensor:
    """Pad with black, crop to the old size and mirror, every image in its own way, in one gather.

    Args:
        pixels: (n, height, width, channels).
        padding: width of the black margin.
        top, left: (n,), where the crops start in the padded images, 0 to 2 ``padding``.
        mirrored: (n,) booleans.

    """
    count, height, width, channels = pixels.shape
    padded = F.pad(pixels, (0, 0, padding, padding, padding, padding))
    images, rows, across = (
        torch.arange(size, device=pixels.device) for size in (count, height, width)
    )
    columns = left[:, None] + torch.where(mirrored[:, None], width - 1 - across, across)
    # One index per pixel into the flat batch is more than twice as fast as one per axis.
    lines = images[:, None] * padded.shape[1] + top[:, None] + rows
    chosen = lines[:, :, None] * padded.shape[2] + columns[:, None, :]
    return padded.view(-1, channels).index_select(0, chosen.view(-1)).view(pixels.shape)
