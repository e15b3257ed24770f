"""Similarity of representations by canonical correlation.

Raghu et al. (2017), "SVCCA"; Blakeney, Yan and Zong (2020), "Is Pruning Compression?", and Ansuini
et al. (2020) compare pruned networks with their parents so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from workers.contracts import Measure, Probe, Reading, Subject


@dataclass(frozen=True, kw_only=True)
class Svcca(Measure):
    """Correlate the outputs of every prunable layer with those of the parent, in main directions.

    Beside the parent, with the separate network; and the separate network with the parent. A
    reading ``svcca`` in [0, 1] for every layer, the mean canonical correlation; NaN where all of a
    layer is pruned, or has less than 10 rows for a direction: raise ``images``.

    Attributes:
        images: test images, or all if there are fewer.
        variance: the share of a layer's variance that its directions keep; 1 is plain CCA.

    """

    labels: ClassVar[tuple[str, ...]] = ("class", "map")

    images: int = 1000
    variance: float = 0.99

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ValueError(f"expected at least 1 image, found {self.images}")
        if not 0 < self.variance <= 1:
            raise ValueError(f"expected a variance above 0 and at most 1, found {self.variance}")

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterable[Reading]:
        """Correlate layer by layer."""
        from workers.inspection.canonical_correlation import main_directions, mean_correlation
        from workers.inspection.comparison import compare_layers

        return compare_layers(
            subjects,
            probe,
            images=self.images,
            quantity="svcca",
            summarise=partial(main_directions, variance=self.variance),
            similarity=mean_correlation,
        )

    def passes(self, subjects: int) -> float:
        """Every network sees every image once; the decompositions cost little beside that."""
        return float(subjects * self.images)
