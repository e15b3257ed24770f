"""What a sweep names: components, and the plug-ins that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class Component:
    """A plug-in by name (or ``package.module:name``) with the options that a sweep gives it."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlugIn:
    """Something a sweep names; its dataclass fields are its options.

    ``version`` enters the content key: raise it when the numbers change, and whatever descends from
    the plug-in, and nothing else, is computed again. An option that cannot change the numbers (a
    path) carries ``metadata={"runtime": True}`` and stays out of the key.
    """

    version: ClassVar[int | str] = 1
