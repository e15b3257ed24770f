"""Tasks under one name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workers.contracts.plug_in import Component, PlugIn


@dataclass(frozen=True, kw_only=True)
class Suite(PlugIn):
    """Tasks that a sweep file names together; only they enter keys, the suite does not."""

    def tasks(self) -> Sequence[Component]:
        """List the tasks, each as a sweep file would name it alone."""
        raise NotImplementedError
