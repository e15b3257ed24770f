"""The test data as they are."""

from __future__ import annotations

from dataclasses import dataclass

from workers.contracts import Task


@dataclass(frozen=True, kw_only=True)
class Nominal(Task):
    """Clean test images: what the network was trained for."""
