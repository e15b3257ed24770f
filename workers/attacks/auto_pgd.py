"""APGD: projected gradient steps whose length each image finds by itself.

Croce & Hein (2020), "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
Parameter-free Attacks", algorithm 1. The step is 2ε at first. At checkpoints it is halved, and the
walk goes back to the best point so far, for the images whose loss rose too seldom since the last
checkpoint, or whose step and best loss are what they were there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from workers.attacks.balls import Norm, nearest, steepest
from workers.attacks.gradient_steps import Loss, Predict, climbing
from workers.attacks.logits import chosen

MOMENTUM = 0.75
RISING = 0.75
FIRST, SHRINK, SHORTEST = 0.22, 0.03, 0.06


@dataclass
class _Best:
    """Where the loss of each image was highest, its gradient there, and a point that is mistaken.

    ``mistaken`` is the clean image until there is such a point, and ``found`` tells.
    """

    loss: Tensor
    pixels: Tensor
    gradient: Tensor
    mistaken: Tensor
    found: Tensor

    def look_at(
        self, pixels: Tensor, loss: Tensor, gradient: Tensor, logits: Tensor, labels: Tensor
    ) -> None:
        """Remember what is better than before."""
        higher, wrong = loss > self.loss, logits.argmax(1) != labels
        self.loss = torch.where(higher, loss, self.loss)
        self.pixels = torch.where(_wide(higher), pixels, self.pixels)
        self.gradient = torch.where(_wide(higher), gradient, self.gradient)
        self.mistaken = torch.where(_wide(wrong), pixels, self.mistaken)
        self.found = self.found | wrong


def auto_pgd(
    predict: Predict,
    clean: Tensor,
    labels: Tensor,
    *,
    start: Tensor,
    loss: Loss,
    norm: Norm,
    epsilon: float,
    steps: int,
) -> tuple[Tensor, Tensor]:
    """Walk ``steps`` steps up ``loss``, which takes ``steps`` + 1 gradients.

    Args:
        predict: pixels → logits.
        clean: float32 in [0, 1] of shape (n, channels, height, width).
        labels: (n,).
        start: where to start, as ``clean``.
        loss: (logits, labels) → (n,).
        norm: of the ball.
        epsilon: radius of the ball.
        steps: how many.

    Returns:
        The last point of each image that the network errs on, or that of the highest loss where it
        never does, and of shape (n,) whether it does.

    """
    here = before = start
    value, gradient, logits = _measured(predict, here, labels, loss)
    best = _Best(value, here, gradient, clean, torch.zeros_like(labels, dtype=torch.bool))
    best.look_at(here, value, gradient, logits, labels)
    step = torch.full_like(value, 2 * epsilon)
    rises, last, reached = torch.zeros_like(value), 0, best.loss
    halved = torch.zeros_like(best.found)
    checks = checkpoints(steps)
    for number in range(1, steps + 1):
        aim = nearest(here + _wide(step) * steepest(gradient, norm), clean, norm, epsilon)
        if number > 1:
            aim = here + MOMENTUM * (aim - here) + (1 - MOMENTUM) * (here - before)
        before, here = here, nearest(aim, clean, norm, epsilon)
        previous = value
        value, gradient, logits = _measured(predict, here, labels, loss)
        best.look_at(here, value, gradient, logits, labels)
        rises += value > previous
        if number in checks:
            stuck = ~halved & (best.loss <= reached)
            halved = (rises < RISING * (number - last)) | stuck
            step = torch.where(halved, step / 2, step)
            here = torch.where(_wide(halved), best.pixels, here)
            gradient = torch.where(_wide(halved), best.gradient, gradient)
            value = torch.where(halved, best.loss, value)
            rises, last, reached = torch.zeros_like(rises), number, best.loss
    return torch.where(_wide(best.found), best.mistaken, best.pixels), best.found


def checkpoints(steps: int) -> frozenset[int]:
    """Return ⌈p_j · steps⌉ with p₁ = 0.22 and gaps that shrink by 0.03, down to 0.06."""
    shares = [0.0, FIRST]
    while shares[-1] <= 1:
        shares.append(shares[-1] + max(shares[-1] - shares[-2] - SHRINK, SHORTEST))
    # Rounded, because sums such as 0.22 + 0.19 + 0.16 are a little more than they should be.
    return frozenset(ceil(round(share * steps, 6)) for share in shares[1:-1])


def logits_ratio(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the difference of logits ratio of each image, which no scaling of logits changes.

    −(z_y − max over the others) / (z₁ − z₃), z₁ and z₃ being the largest and the third largest.

    Args:
        logits: (n, classes), of at least 3 classes.
        labels: (n,).

    """
    ranked = logits.sort(1, descending=True).values
    truth = logits.gather(1, labels[:, None])[:, 0]
    rival = torch.where(logits.argmax(1) == labels, ranked[:, 1], ranked[:, 0])
    return (rival - truth) / (ranked[:, 0] - ranked[:, 2] + torch.finfo(logits.dtype).tiny)


def targeted_logits_ratio(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """Return the ratio of each image that grows as its logits tend to a class of its own.

    −(z_y − z_t) / (z₁ − (z₃ + z₄) / 2), z₁ being the largest logit, z₃ and z₄ the next but one and
    the one after.

    Args:
        logits: (n, classes), of at least 4 classes.
        labels: (n,).
        targets: (n,), a class for each image.

    """
    ranked = logits.sort(1, descending=True).values
    spread = ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2
    lead = chosen(logits, targets) - chosen(logits, labels)
    return lead / (spread + torch.finfo(logits.dtype).tiny)


def _measured(
    predict: Predict, pixels: Tensor, labels: Tensor, loss: Loss
) -> tuple[Tensor, Tensor, Tensor]:
    logits, gradient = climbing(predict, pixels, labels, loss)
    return loss(logits, labels), gradient, logits


def _wide(each: Tensor) -> Tensor:
    """Give one value per image the shape of images."""
    return each[:, None, None, None]
