"""How alike a network and its pruned versions are on noisy images.

Lost in Pruning (MLSys 2021, arXiv 2103.03014), "noise similarity". On the same noisy
images x′ = x + U(−ε, ε), drawn anew for every ε and never clipped, for every network f against the
parent g:

    matching_labels    fraction of images with arg max f(x′) = arg max g(x′)
    softmax_distance   ‖softmax f(x′) − softmax g(x′)‖₂, mean over images and draws
    accuracy           fraction of images with arg max f(x′) = y, of the parent as well
    prune_potential    largest prune ratio with an accuracy of at least the parent's − δ

``at`` is ε. The spread is over draws; that of the distance is over images, of their means over
draws. The potential is about the parent. Without noise there is but one draw: the clean images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.contracts import Measure, Probe, Reading, Subject

if TYPE_CHECKING:
    import torch

LEVELS = tuple(step / 20 for step in range(15))
"""0, 0.05, … 0.7, as in the paper."""


@dataclass(frozen=True, kw_only=True)
class NoiseSimilarity(Measure):
    """Compare outputs under uniform noise on the normalised input.

    ``images`` test images, each drawn ``draws`` times at every half-width ε of ``levels``;
    ``delta`` is the margin δ of the prune potential. What is kept at a time are the outputs of two
    networks at one ε.

    Raises:
        ValueError: an option is out of its range.

    """

    images: int = 1000
    draws: int = 100
    levels: tuple[float, ...] = LEVELS
    delta: float = 0.005

    def __post_init__(self) -> None:
        for option in ("images", "draws"):
            if getattr(self, option) < 1:
                raise ValueError(f"{option} is {getattr(self, option)}, expected at least 1")
        if not self.levels or not all(level >= 0 for level in self.levels):
            raise ValueError(f"levels is {self.levels}, expected half-widths of at least 0")
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"levels is {self.levels}, expected each half-width once")
        if not self.delta >= 0:
            raise ValueError(f"delta is {self.delta}, expected a margin of at least 0")

    def passes(self, subjects: int) -> float:
        """Count every image of every draw once per network."""
        return float(subjects * self.images * sum(map(self._draws, self.levels)))

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterator[Reading]:
        """Yield what is found, level by level and network by network."""
        import torch

        from workers.function_distance.noise import noisy_softmax

        images, labels = probe.test_images(self.images)
        seeds = torch.randint(2**62, (len(self.levels),), generator=probe.generator)
        for level, seed in zip(self.levels, seeds.tolist(), strict=True):
            draws = self._draws(level)
            outputs = (
                noisy_softmax(probe.network(one), images, level=level, draws=draws, seed=seed)
                for one in subjects
            )
            yield from self._compared(outputs, labels, subjects, level)

    def _compared(
        self,
        outputs: Iterator[torch.Tensor],
        labels: torch.Tensor,
        subjects: Sequence[Subject],
        level: float,
    ) -> Iterator[Reading]:
        import torch

        from workers.function_distance import noise

        parent = next(outputs)
        correct = [noise.correct_labels(parent, labels)]
        for place, own in enumerate(outputs, start=1):
            correct.append(noise.correct_labels(own, labels))
            matching = noise.matching_labels(own, parent)
            distance = noise.softmax_distance(own, parent)
            yield _reading("matching_labels", matching, level, place, against=0)
            yield _reading("softmax_distance", distance, level, place, against=0)
        for place, counts in enumerate(correct):
            yield _reading("accuracy", counts.double() / len(labels), level, place)
        if pruned := [place for place, one in enumerate(subjects) if one.role == "pruned"]:
            potential = noise.prune_potential(
                torch.stack([correct[place] for place in pruned]),
                correct[0],
                [subjects[place].ratio for place in pruned],
                delta=self.delta,
                images=len(labels),
            )
            yield _reading("prune_potential", potential, level, 0)

    def _draws(self, level: float) -> int:
        return self.draws if level else 1


def _reading(
    quantity: str, values: torch.Tensor, level: float, subject: int, *, against: int = -1
) -> Reading:
    """Take mean and spread of ``values``."""
    values = values.double()
    return Reading(
        subject=subject,
        quantity=quantity,
        value=float(values.mean()),
        against=against,
        at=level,
        spread=float(values.std(correction=0)),
    )
