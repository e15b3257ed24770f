"""All randomness of a stage comes from its key, so that a stage can be repeated anywhere."""

from __future__ import annotations

import random
from hashlib import sha256

import numpy as np
import torch


def seed_everything(key: str) -> int:
    """Seed Python, NumPy and torch on every device from ``key`` and return the seed."""
    seed = derive_seed(key)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    return seed


def derive_seed(*path: str | int) -> int:
    """Return a seed below 2⁶³ that differs for every path, such as (seed, "epoch", 3)."""
    digest = sha256("/".join(map(str, path)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(*path: str | int) -> torch.Generator:
    """Return a generator on the CPU, seeded with ``derive_seed(*path)``."""
    return torch.Generator().manual_seed(derive_seed(*path))


def be_deterministic(device: torch.device) -> None:
    """Make torch repeat its numbers exactly on the CPU; elsewhere speed goes first.

    Not at any price: float32 is float32, never TF32, whether a network trains or is evaluated.
    """
    torch.use_deterministic_algorithms(device.type == "cpu")
    # Otherwise the deterministic mode also fills every fresh tensor with NaN, which takes time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = device.type == "cuda"
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
