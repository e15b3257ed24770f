"""Readable names of components: ``wt``, ``ft-l2``, ``gaussian_noise-3``."""

from __future__ import annotations

from workers.contracts import Component


def label(component: Component) -> str:
    """Join name and option values; ``package.module:name`` counts as ``name``."""
    name = component.name.rpartition(":")[2]
    return "-".join([name, *(str(value) for value in component.options.values())])
