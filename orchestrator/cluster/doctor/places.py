"""Folders that may not be there yet."""

from __future__ import annotations

import os
from pathlib import Path


def existing(path: Path) -> Path:
    """Return ``path``, or the nearest folder above it that is there."""
    return next(one for one in (path, *path.parents) if one.exists())


def writable(path: Path) -> bool:
    """Tell whether ``path`` can be written, or made where it is not there yet."""
    effective = os.access in os.supports_effective_ids
    return os.access(existing(path), os.W_OK, effective_ids=effective)
