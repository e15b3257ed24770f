"""Readable names of components: ``wt``, ``ft-l2``, ``gaussian_noise-3``, ``shifted-cifar10_1``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers.contracts import Component


def label(component: Component) -> str:
    """Join name and option values; ``package.module:name`` counts as ``name``."""
    name = component.name.rpartition(":")[2]
    return "-".join([name, *map(_text, component.options.values())])


def _text(value: Any) -> str:
    """Name a component within an option without its own options, which may be paths."""
    return "-".join(map(str, value)) if isinstance(value, Mapping) else str(value)
