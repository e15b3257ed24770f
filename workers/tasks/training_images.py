"""Predictions on images that the network was trained on: the members of membership inference.

Yeom et al. (2018), "Privacy Risk in Machine Learning", and Song & Mittal (2021), "Systematic
Evaluation of Privacy Risks of Machine Learning Models", tell members from the images of the test
split by what a network predicts on them.
"""

from __future__ import annotations

from dataclasses import dataclass

from workers.contracts import Task


@dataclass(frozen=True, kw_only=True)
class TrainingImages(Task):
    """``count`` images of the train split without its held-out part, or all if there are fewer.

    They are neither cropped nor mirrored, and the same for every seed; fewer are the first of more.

    Raises:
        ValueError: ``count`` is below 1.

    """

    count: int = 10_000

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count is {self.count}, expected at least 1")

    def members(self) -> int:
        """Say how many."""
        return self.count
