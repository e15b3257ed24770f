"""Similarity of representations by centred kernel alignment.

Kornblith et al. (2019), "Similarity of Neural Network Representations Revisited".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from workers.contracts import Measure, Probe, Reading, Subject


@dataclass(frozen=True, kw_only=True)
class Cka(Measure):
    """Align the outputs of every prunable layer with those of the parent, by linear CKA.

    Beside the parent, with the separate network; and the separate network with the parent. A
    reading ``cka`` for every layer, 1 where outputs agree but for a rotation and a factor; NaN
    where all of a layer is pruned.

    Attributes:
        images: test images, or all if there are fewer.
        debiased: estimate without bias, so that independent layers have 0 and not neurons / rows.

    """

    labels: ClassVar[tuple[str, ...]] = ("class", "map")

    images: int = 1000
    debiased: bool = True

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError(f"expected at least 1 image, found {self.images}")

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterable[Reading]:
        """Align layer by layer."""
        from workers.inspection.centring import centred
        from workers.inspection.comparison import compare_layers
        from workers.inspection.kernel_alignment import alignment

        return compare_layers(
            subjects,
            probe,
            images=self.images,
            quantity="cka",
            summarise=centred,
            similarity=partial(alignment, debiased=self.debiased),
        )

    def passes(self, subjects: int) -> float:
        """Every network sees every image once; the products cost little beside that."""
        return float(subjects * self.images)
