"""Bilinear interpolation at any position of every image of a batch."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

Border = Literal["mirror", "reflect"]


def interpolate(images: Tensor, rows: Tensor, columns: Tensor, border: Border) -> Tensor:
    """Read images between their pixels.

    Args:
        images: (n, channels, height, width), floating; height and width at least 2.
        rows: in pixels, 0 is the middle of the first row; with ``columns`` it broadcasts to (new
            height, new width), or to (n, new height, new width) if every image has its own.
        columns: likewise.
        border: what is outside: ``mirror`` mirrors the image about the middle of its edge pixels
            (c b | a b c), ``reflect`` about their outer side (b a | a b c).

    Returns:
        (n, channels, new height, new width), type and device of ``images``.

    """
    height, width = images.shape[2:]
    shape = (rows + columns).shape
    places = torch.stack([columns.expand(shape), rows.expand(shape)], dim=-3)
    size = images.new_tensor([width, height]).view(2, 1, 1)
    if border == "mirror":
        places.mul_(2).div_(size - 1).sub_(1)
    else:
        places.mul_(2).add_(1).div_(size).sub_(1)
    grid = places.movedim(-3, -1).expand(len(images), -1, -1, -1)
    return grid_sample(images, grid, padding_mode="reflection", align_corners=border == "mirror")
