"""Whether the pixels that one network goes by are enough for another.

Lost in Pruning (MLSys 2021, arXiv 2103.03014), "informative features". Every network i orders the
pixels of every image by BackSelect, for the class that it predicts itself. Then

    confidence    H[i, j] = mean over images of softmax(network j (all but i's top pixels masked))
                  at the label; i is ``subject`` and j ``against``

of which the diagonal says how much a network's own pixels tell it, and row and column of the
separate network how much two networks have in common anyway. The spread is over images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Literal

from workers.contracts import Measure, Probe, Reading, Subject

if TYPE_CHECKING:
    import torch

PIXELS = 32 * 32
"""What costs are estimated for: the pixels of a CIFAR image."""

GRADIENT = 3
"""Forward passes that take as long as one score with its gradient."""


@dataclass(frozen=True, kw_only=True)
class InformativeFeatures(Measure):
    """Predict test images from the few pixels that another network chose.

    Of ``images`` test images the fraction ``kept`` of the pixels stays. ``variant`` is
    ``gradient``, which masks ``at_once`` pixels per step, or ``exact``, the paper's, which tries
    every pixel one by one: for an image of 32 × 32 pixels 524,800 passes instead of 256 and as many
    gradients. 250 images are the default of the paper's code.

    Raises:
        ValueError: an option is out of its range.

    """

    images: int = 250
    kept: float = 0.1
    at_once: int = 4
    variant: Literal["exact", "gradient"] = "gradient"

    def __post_init__(self) -> None:
        for option in ("images", "at_once"):
            if getattr(self, option) < 1:
                raise ValueError(f"{option} is {getattr(self, option)}, expected at least 1")
        if not 0 < self.kept <= 1:
            raise ValueError(f"kept is {self.kept}, expected a fraction above 0 and up to 1")

    def passes(self, subjects: int) -> float:
        """Estimate for images of 32 × 32 pixels: ordering them, and predicting from every order."""
        if self.variant == "exact":
            ordering = PIXELS * (PIXELS + 1) // 2
        else:
            ordering = GRADIENT * ceil(PIXELS / self.at_once)
        return float(subjects * self.images * (1 + ordering + subjects))

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterator[Reading]:
        """Yield H column by column; a network is loaded once to choose and once to predict."""
        from workers.function_distance.backselect import label_confidence

        images, labels = probe.test_images(self.images)
        chosen = [self._chosen(probe.network(one), images) for one in subjects]
        for against, one in enumerate(subjects):
            network = probe.network(one)
            for subject, kept in enumerate(chosen):
                confidence = label_confidence(network, images, labels, kept).double()
                yield Reading(
                    subject=subject,
                    quantity="confidence",
                    value=float(confidence.mean()),
                    against=against,
                    spread=float(confidence.std(correction=0)),
                )

    def _chosen(self, network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        import torch

        from workers.function_distance import backselect

        orders = []
        for batch in torch.split(images, backselect.batch_size(images)):
            score = backselect.log_odds(network, batch)
            if self.variant == "exact":
                orders.append(backselect.exact_order(score, batch))
            else:
                orders.append(backselect.gradient_order(score, batch, self.at_once))
        return backselect.last_masked(torch.cat(orders), self.kept)
