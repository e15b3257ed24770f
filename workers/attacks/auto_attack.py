"""AutoAttack: four attacks in turn, each on the images that the network still gets right.

Croce & Hein (2020), "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
Parameter-free Attacks": APGD on the cross entropy, APGD on the targeted difference of logits
ratio, targeted FAB, and the square attack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from workers.attacks.auto_pgd import auto_pgd, targeted_logits_ratio
from workers.attacks.balls import Norm, random_point
from workers.attacks.fab import boundary_attack
from workers.attacks.gradient_steps import Loss, Predict, cross_entropy
from workers.attacks.logits import rivals
from workers.attacks.square import square_attack

Attempt = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Which images are left → a point for each of them, and whether the network errs there."""


def auto_attack(
    predict: Predict,
    clean: Tensor,
    labels: Tensor,
    generator: torch.Generator,
    *,
    norm: Norm,
    epsilon: float,
    steps: int,
    targets: int,
    queries: int,
) -> Tensor:
    """Return a mistaken point of each image for which one of the attacks finds one.

    An image that withstands all is the point where the cross entropy was highest, and one that
    the network errs on anyway is left clean.

    Args:
        predict: pixels → logits, of at least 4 classes.
        clean: float32 in [0, 1] of shape (n, channels, height, width).
        labels: (n,).
        generator: on the CPU. One number is drawn from it, whatever becomes of the images.
        norm: of the ball.
        epsilon: radius of the ball.
        steps: of APGD and of FAB, for every target.
        targets: how many other classes each image is driven to, the likeliest first.
        queries: of the square attack.

    """
    own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=generator)))
    assault = _Assault(predict, clean, labels, norm, epsilon, steps, own)
    logits = predict(clean).detach()
    attacked, left = clean.clone(), logits.argmax(1) == labels
    aims = rivals(logits, labels, targets).unbind(1)
    attempts: tuple[Attempt, ...] = (
        assault.cross_entropy,
        *(partial(assault.logits_ratio, aim) for aim in aims),
        *(partial(assault.boundary, aim) for aim in aims),
        partial(assault.squares, queries),
    )
    for number, attempt in enumerate(attempts):
        if not left.any():
            break
        points, found = attempt(left)
        kept = ~found if number else torch.zeros_like(found)
        attacked[left] = torch.where(kept[:, None, None, None], attacked[left], points)
        left[left.clone()] = ~found
    return attacked


@dataclass(frozen=True)
class _Assault:
    """What the four attacks share; each method is an attempt, or is one with a target or more."""

    predict: Predict
    clean: Tensor
    labels: Tensor
    norm: Norm
    epsilon: float
    steps: int
    generator: torch.Generator

    def cross_entropy(self, left: Tensor) -> tuple[Tensor, Tensor]:
        return self._climb(left, cross_entropy)

    def logits_ratio(self, aim: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        return self._climb(left, partial(targeted_logits_ratio, targets=aim[left]))

    def boundary(self, aim: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        images = (self.clean[left], self.labels[left], aim[left])
        points, distance = boundary_attack(self.predict, *images, norm=self.norm, steps=self.steps)
        return points, distance <= self.epsilon

    def squares(self, queries: int, left: Tensor) -> tuple[Tensor, Tensor]:
        return square_attack(
            self.predict,
            self.clean,
            self.labels,
            left=left,
            norm=self.norm,
            epsilon=self.epsilon,
            queries=queries,
            generator=self.generator,
        )

    def _climb(self, left: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
        # Drawn for all images, so that no image's start depends on the fate of another.
        start = random_point(self.clean, self.norm, self.epsilon, self.generator)
        return auto_pgd(
            self.predict,
            self.clean[left],
            self.labels[left],
            start=start[left],
            loss=loss,
            norm=self.norm,
            epsilon=self.epsilon,
            steps=self.steps,
        )
