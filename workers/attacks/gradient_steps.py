"""Attacks that follow the gradient of the loss, with the same steps for every image.

FGSM: Goodfellow et al. (2015), "Explaining and Harnessing Adversarial Examples". PGD: Madry et al.
(2018), "Towards Deep Learning Models Resistant to Adversarial Attacks".
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from workers.attacks.balls import Norm, nearest, steepest
from workers.loss import IGNORED

Predict = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def projected_gradient(
    predict: Predict,
    clean: Tensor,
    labels: Tensor,
    *,
    start: Tensor,
    norm: Norm,
    epsilon: float,
    step: float,
    steps: int,
) -> Tensor:
    """Climb the cross entropy by x ← Π(x + step · steepest(∇)), Π projecting onto the ball.

    One step of ε from the clean images in l∞ is FGSM.

    Args:
        predict: pixels → logits.
        clean: float32 in [0, 1] of shape (n, channels, height, width).
        labels: (n,), or (n, height, width) with pixels of label 255 left out.
        start: where to start, as ``clean``.
        norm: of the ball and of the steps.
        epsilon: radius of the ball.
        step: length of a step.
        steps: how many.

    """
    pixels = start
    for _ in range(steps):
        _, gradient = climbing(predict, pixels, labels, cross_entropy)
        pixels = nearest(pixels + step * steepest(gradient, norm), clean, norm, epsilon)
    return pixels


def climbing(predict: Predict, pixels: Tensor, labels: Tensor, loss: Loss) -> tuple[Tensor, Tensor]:
    """Return the logits at ``pixels``, and the gradient there of each image's own loss."""
    pixels = pixels.detach().requires_grad_()
    logits = predict(pixels)
    (gradient,) = torch.autograd.grad(loss(logits, labels).sum(), pixels)
    return logits.detach(), gradient


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the cross entropy of each image, (n,), summed over its pixels where they have classes.

    Args:
        logits: (n, classes), or (n, classes, height, width).
        labels: (n,), or (n, height, width) with pixels of label 255 left out.

    """
    if labels.ndim == 1:
        return F.cross_entropy(logits, labels, reduction="none")
    pixelwise = F.cross_entropy(logits, labels, reduction="none", ignore_index=IGNORED)
    return pixelwise.flatten(1).sum(1)
