"""Corruptions that are defined by what Pillow does to one image."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import torch


def per_image(pixels: torch.Tensor, change: Callable[[Image.Image], Image.Image]) -> torch.Tensor:
    """Apply ``change`` to every image as Pillow sees it, in 8 bits.

    Args:
        pixels: whole grey levels / 255, of shape (n, channels, height, width) with 1 or 3 channels.
        change: keeps size and mode.

    """
    levels = (pixels * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    planes = levels[..., 0] if levels.shape[3] == 1 else levels
    changed = np.stack([np.asarray(change(Image.fromarray(plane))) for plane in planes])
    return pixels.new_tensor(changed.reshape(levels.shape).transpose(0, 3, 1, 2)) / 255
