"""Singular values of the Jacobian of the logits: is the network near to dynamical isometry?

Saxe, McClelland and Ganguli (2014), "Exact Solutions to the Nonlinear Dynamics of Learning in Deep
Linear Neural Networks"; Wang, Qin, Bai and Fu (2021), "Dynamical Isometry: The Missing Ingredient
for Neural Network Pruning", report their mean right after pruning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Measure, Probe, Reading, Subject

if TYPE_CHECKING:
    import torch

USUAL_CLASSES = 10

RESOLUTION = 1e-7
"""Singular values up to this share of the largest are rounding, and count as 0."""


@dataclass(frozen=True, kw_only=True)
class Jacobian(Measure):
    """Decompose what small changes of normalised test images do to the logits.

    Of the singular values σ of all images: ``jsv_mean``, ``jsv_std``, ``jsv_max``, ``jsv_min`` and
    ``isometry_deviation``, the mean of (σ − 1)². ``condition_number`` is the mean over the images
    of largest / smallest σ, infinite where a Jacobian lacks a rank, NaN where one is 0. ``spread``
    is over the images, of their mean σ, mean (σ − 1)² and condition numbers.

    Attributes:
        images: test images, or all if there are fewer.
        classes: if the network has more logits, so many are drawn, the same for all networks.

    """

    images: int = 100
    classes: int = 100

    def __post_init__(self) -> None:
        for name in ("images", "classes"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"expected {name} of at least 1, found {value}")

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterable[Reading]:
        """Summarise the singular values of every network."""
        from workers.inspection.jacobian import jacobian_singular_values

        images, _ = probe.test_images(self.images)
        logits: torch.Tensor | None = None
        for index, subject in enumerate(subjects):
            network = probe.network(subject)
            if logits is None:
                logits = self._logits(network, images, probe.generator)
            yield from _summary(index, jacobian_singular_values(network, images, logits))

    def passes(self, subjects: int) -> float:
        """One pass, and one to the images for each logit: for 10 of them, of more in proportion."""
        return float(subjects * self.images * (1 + min(self.classes, USUAL_CLASSES)))

    def _logits(
        self, network: torch.nn.Module, images: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        import torch

        with torch.no_grad():
            outputs = network(images[:1]).shape[1]
        chosen = torch.randperm(outputs, generator=generator)[: self.classes]
        return chosen.sort().values.to(images.device)


def _summary(subject: int, values: torch.Tensor) -> Iterator[Reading]:
    """Sum up singular values (images, outputs), largest first."""
    overall = {
        "jsv_std": values.std(correction=0),
        "jsv_max": values.max(),
        "jsv_min": values.min(),
    }
    for quantity, value in overall.items():
        yield Reading(subject=subject, quantity=quantity, value=float(value))
    largest, smallest = values[:, 0], values[:, -1]
    smallest = smallest.where(smallest > RESOLUTION * largest, 0.0)
    by_image = {
        "jsv_mean": values.mean(1),
        "isometry_deviation": (values - 1).square().mean(1),
        "condition_number": largest / smallest,
    }
    for quantity, each in by_image.items():
        yield Reading(
            subject=subject,
            quantity=quantity,
            value=float(each.mean()),
            spread=float(each.std(correction=0)),
        )
