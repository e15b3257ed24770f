"""The common corruptions of CIFAR-10-C and ImageNet-C, made from the clean test images.

D. Hendrycks, T. Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations, 2019.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workers.contracts import Component, Suite
from workers.images.corruption_names import selected


@dataclass(frozen=True, kw_only=True)
class CommonCorruptions(Suite):
    """Suite: the 19 common corruptions at one severity; a list of severities gives all of them.

    ``only`` names those that are wanted, ``without`` those that are not. ``severities`` is the
    table of each, as of the tasks.
    """

    severity: Literal[1, 2, 3, 4, 5] = 3
    severities: Literal["cifar", "imagenet"] = "cifar"
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names.

        Raises:
            ValueError: one is no corruption, or none is left.

        """
        selected(self.only, self.without)

    def tasks(self) -> Sequence[Component]:
        """List one task for each corruption, by name."""
        table = {} if self.severities == "cifar" else {"severities": self.severities}
        options = {"severity": self.severity, **table}
        return [Component(name, options) for name in selected(self.only, self.without)]
