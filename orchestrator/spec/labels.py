"""Readable names of components: ``wt``, ``ft-l2``, ``gaussian_noise-3``, ``shifted-cifar10_1``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from workers.contracts import Component
from workers.registry import DATA_SETS, UnknownPlugInError

UNNAMED = frozenset({"classes"})
"""Options that make no name: which class stands for which takes a line for every class."""


def label(component: Component) -> str:
    """Join name and option values; ``package.module:name`` counts as ``name``."""
    name = component.name.rpartition(":")[2]
    values = [value for option, value in component.options.items() if option not in UNNAMED]
    return "-".join([name, *map(_text, values)])


def _text(value: Any) -> str:
    match value:
        case Mapping() if len(value) == 1:
            ((name, options),) = value.items()
            return "-".join([str(name), *_chosen(name, options)])
        case Mapping():
            return "-".join(map(str, value))
        case tuple():
            return ",".join(map(str, value))
    return str(value)


def _chosen(name: str, options: Any) -> list[str]:
    """Name what is chosen of the data set ``name`` within an option, where its files lie apart."""
    if not isinstance(options, Mapping):
        return []
    try:
        known = fields(DATA_SETS.get(name))
    except UnknownPlugInError:
        return []
    runtime = {option.name for option in known if option.metadata.get("runtime")}
    return [str(value) for option, value in options.items() if option not in runtime]
