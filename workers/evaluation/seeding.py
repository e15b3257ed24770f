"""Randomness that depends on what is drawn, never on batch size, device or process."""

from __future__ import annotations

from hashlib import sha256

import torch

BLOCK = 256
"""Test examples that share one generator; whatever is random is drawn block by block."""


def block_generator(key: str, block: int) -> torch.Generator:
    """Make the CPU generator of one block of examples of the task called ``key``."""
    digest = sha256(f"{key}/{block}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little"))
