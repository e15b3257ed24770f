"""What only the driver of a live sweep knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The names of the chains at work, why others failed, and whether the run has ended."""

    running: frozenset[str] = frozenset()
    failed: Mapping[str, str] = field(default_factory=dict)
    ended: bool = False
