"""APGD on two losses, without targets.

Croce & Hein (2020), "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
Parameter-free Attacks".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Attack, PermanentError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class AutoProjectedGradient(Attack):
    """The worst of APGD on the cross entropy and APGD on the difference of logits ratio.

    An image counts as attacked as soon as the network errs on it; the second loss is for those that
    the first one leaves right. Accuracies are at least those of ``autoattack``, which costs fifty
    times as much, and usually near to them. Its cost is that of a network that withstands.

    Raises:
        ValueError: ``epsilon`` is negative, or ``steps`` below 1.

    """

    norm: Literal["linf", "l2"] = "linf"
    steps: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 1:
            raise ValueError(f"steps is {self.steps}, expected at least 1")

    @property
    def gradients(self) -> int:
        """One per step and one at the start, for both losses."""
        return 2 * (self.steps + 1)

    def attack(
        self,
        predict: Callable[[torch.Tensor], torch.Tensor],
        pixels: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Attack the images that the network gets right; of the others nothing changes.

        Raises:
            PermanentError: there are fewer than three classes, or label maps in place of labels.

        """
        from workers.attacks.auto_pgd import auto_pgd, logits_ratio
        from workers.attacks.balls import random_point
        from workers.attacks.gradient_steps import cross_entropy

        logits = predict(pixels).detach()
        if labels.ndim > 1 or logits.shape[1] < 3:
            raise PermanentError("apgd needs images of one class each, of at least three; try pgd")
        attacked, left = pixels.clone(), logits.argmax(1) == labels
        for loss in (cross_entropy, logits_ratio):
            # Drawn for all images, so that no image's start depends on the fate of another.
            start = random_point(pixels, self.norm, self.epsilon, generator)
            if not left.any():
                continue
            attacked[left], found = auto_pgd(
                predict,
                pixels[left],
                labels[left],
                start=start[left],
                loss=loss,
                norm=self.norm,
                epsilon=self.epsilon,
                steps=self.steps,
            )
            left[left.clone()] = ~found
        return attacked
