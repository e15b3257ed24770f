"""A network behind its normalisation: from pixels to logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.contracts import Task
from workers.images.normalisation import normalise

GRADIENT_PIXELS = 1024 * 64 * 64
"""Pixels of the images that an attack works on at once: it keeps what every layer computed."""


@dataclass(frozen=True)
class Seen:
    """A network in evaluation mode, and the scale in which it sees pixels.

    Attributes:
        network: (n, channels, height, width) → (n, classes) logits, or for segmentation (n,
            classes, height, width), itself or as ``out`` of a mapping.
        mean, std: float32 of shape (channels,), on its device.

    """

    network: nn.Module
    mean: Tensor
    std: Tensor

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.mean.device

    def logits(self, batch: Tensor) -> Tensor:
        """Return the float32 logits of a normalised batch."""
        outputs = self.network(batch)
        logits: Tensor = outputs["out"] if isinstance(outputs, Mapping) else outputs
        return logits.float()

    def shown(self, levels: Tensor) -> Tensor:
        """Normalise ``uint8`` of shape (n, height, width, channels)."""
        return normalise(levels, self.mean, self.std)

    def attacked(
        self, task: Task, levels: Tensor, labels: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return the normalised batch that ``task`` makes of the network and of ``levels``.

        Args:
            task: one that attacks.
            levels: ``uint8`` of shape (n, height, width, channels).
            labels: of its ``attack``.
            generator: of its ``attack``; drawn from part by part, where a batch is too large.

        """
        with torch.enable_grad():
            pixels = (levels.float() / 255).permute(0, 3, 1, 2)
            at_once = max(1, GRADIENT_PIXELS // pixels[0, 0].numel())
            parts = zip(torch.split(pixels, at_once), torch.split(labels, at_once), strict=True)
            attacked = torch.cat(
                [task.attack(self._predict, *part, generator).detach() for part in parts]
            )
        return self._scaled(attacked)

    def _predict(self, pixels: Tensor) -> Tensor:
        return self.logits(self._scaled(pixels))

    def _scaled(self, pixels: Tensor) -> Tensor:
        return (pixels - self.mean[:, None, None]) / self.std[:, None, None]


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let no parameter require a gradient, and each of them what it did before at the end."""
    learning = {parameter: parameter.requires_grad for parameter in network.parameters()}
    network.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, required in learning.items():
            parameter.requires_grad_(required)
