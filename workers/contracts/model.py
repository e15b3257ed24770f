"""Network architectures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts.plug_in import PlugIn

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Model(PlugIn):
    """A network architecture."""

    def build(self, *, channels: int, classes: int) -> torch.nn.Module:
        """Make an untrained network, (n, channels, height, width) → (n, classes) logits.

        One for segmentation gives (n, classes, height, width), as ``out`` of a mapping where it has
        an auxiliary head, ``aux``.
        """
        raise NotImplementedError

    def load_published(self, network: torch.nn.Module) -> None:
        """Give a fresh network the published weights that its training starts from, if any.

        Called once per dense parent, whereas ``build`` also makes what stored weights go into.
        """
