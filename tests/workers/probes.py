"""A probe for tests of measures: networks by key and images, without a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from workers.contracts import Reading, Subject


@dataclass
class FakeProbe:
    """Serves networks by the key of their subject, and the first of ``images``."""

    networks: dict[str, nn.Module]
    images: Tensor = field(default_factory=lambda: torch.zeros(1, 1))
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(3))

    def network(self, subject: Subject) -> nn.Module:
        return self.networks[subject.key].to(self.device).eval()

    def test_images(self, count: int) -> tuple[Tensor, Tensor]:
        images = self.images[:count].to(self.device)
        return images, torch.zeros(len(images), dtype=torch.int64, device=self.device)


PARENT = Subject(key="parent", role="parent")
PRUNED = Subject(key="pruned", role="pruned", ratio=0.5)
SEPARATE = Subject(key="separate", role="separate")


def values(readings: Sequence[Reading], quantity: str, subject: int) -> dict[str, float]:
    """Return the values of a quantity of one subject by its part."""
    return {r.part: r.value for r in readings if (r.quantity, r.subject) == (quantity, subject)}


def normal(*shape: int, seed: int = 0) -> Tensor:
    """Draw standard normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def rotation(size: int, seed: int = 0) -> Tensor:
    """Draw an orthogonal matrix."""
    return torch.linalg.qr(normal(size, size, seed=seed).double())[0].float()


def linear(weight: Tensor) -> nn.Linear:
    """Make a linear layer without a bias."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data = weight.clone()
    return layer
