"""Randomness that depends on what is drawn, never on batch size, device or process."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import prod

import torch

BLOCK = 256
"""Test examples that share one generator, at most; whatever is random is drawn block by block."""
BLOCK_VALUES = BLOCK * 64 * 64 * 3
"""Values that the images of a corrupted block have together, at most, unless one has more."""


def block_generator(key: str, block: int) -> torch.Generator:
    """Make the CPU generator of one block of examples of the task called ``key``."""
    digest = sha256(f"{key}/{block}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little"))


def block_size(shape: Sequence[int]) -> int:
    """Count the images that are corrupted at once, which bounds the memory that it takes.

    They are ``BLOCK``, or fewer where images are larger than 64 by 64 in colour.

    Args:
        shape: (examples, height, width, channels).

    """
    return max(1, min(BLOCK, BLOCK_VALUES // prod(shape[1:])))
