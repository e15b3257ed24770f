"""BackSelect: the order in which an image's pixels can be masked while a score stays high.

Carter et al. (AISTATS 2019), "What made you do this? Understanding black-box decisions with
sufficient input subsets"; by gradients, several pixels at a time: Carter et al. (NeurIPS 2021),
"Overinterpretation reveals image classification model pathologies". A masked pixel is 0 in all
channels of the normalised image, which is the mean colour. Pixels are numbered row by row; an order
is a permutation of them per image, int64 of shape (images, pixels), the least informative first.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

BATCH, BATCH_PIXELS = 256, 1 << 20
"""How many images pass a network at once, and how many pixels: 20 images of 224 × 224."""

Score = Callable[[Tensor, Tensor], Tensor]
"""Scores inputs (n, channels, height, width) that are masked versions of images; the second
argument says of which ones, int64 of shape (n,)."""


def batch_size(images: Tensor) -> int:
    """Count how many of ``images`` (n, channels, height, width) pass a network at once."""
    return max(1, min(BATCH, BATCH_PIXELS // images[0, 0].numel()))


def log_odds(network: nn.Module, images: Tensor) -> Score:
    """Score inputs by log p / (1 − p), p being the probability of the unmasked image's class.

    That is the class which ``network`` predicts. The log-odds rank inputs as p does, and the
    derivatives differ by the positive factor 1 / p (1 − p); but where p is 1 in float32, and all of
    its derivatives 0, they still tell pixels apart.

    Args:
        network: in evaluation mode, (n, channels, height, width) → (n, classes) logits.
        images: (images, channels, height, width), a batch.

    """
    with torch.no_grad():
        predicted = network(images).argmax(1, keepdim=True)

    def score(inputs: Tensor, of: Tensor) -> Tensor:
        logits: Tensor = network(inputs)
        own = predicted[of]
        others = logits.scatter(1, own, -torch.inf).logsumexp(1)
        return logits.gather(1, own)[:, 0] - others

    return score


@torch.no_grad()
def exact_order(score: Score, images: Tensor) -> Tensor:
    """Mask the pixel after which the score is highest, until none is left.

    Of equals the first is masked. For d pixels this takes d (d + 1) / 2 scores per image.
    """
    count, pixels = len(images), images[0, 0].numel()
    size, kept = batch_size(images), images.new_ones(count, pixels)
    left = torch.arange(pixels, device=images.device).expand(count, -1)
    order = []
    while left.shape[1]:
        of = torch.arange(count, device=images.device).repeat_interleave(left.shape[1])
        tried = zip(torch.split(of, size), torch.split(left.flatten(), size), strict=True)
        scores = [
            score(masked(images[own], kept[own].scatter(1, pixel[:, None], 0)), own)
            for own, pixel in tried
        ]
        best = torch.cat(scores).view(left.shape).argmax(1, keepdim=True)
        order.append(left.gather(1, best))
        kept.scatter_(1, order[-1], 0)
        left = left[left != order[-1]].view(count, -1)
    return torch.cat(order, 1)


def gradient_order(score: Score, images: Tensor, at_once: int) -> Tensor:
    """Mask the ``at_once`` pixels whose masking raises the score most, to first order, and repeat.

    Those are the pixels with the largest derivative with respect to a mask that is 1 where masked.
    Of equals the first is masked, as in the exact order. For d pixels this takes ⌈d / at_once⌉
    scores per image and as many gradients.

    Args:
        score: can be differentiated.
        images: (images, channels, height, width), a batch.
        at_once: at least 1.

    """
    count, pixels = len(images), images[0, 0].numel()
    of = torch.arange(count, device=images.device)
    kept = images.new_ones(count, pixels)
    order = []
    for done in range(0, pixels, at_once):
        mask = kept.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(score(masked(images, mask), of).sum(), mask)
        ranked = gradient.masked_fill(kept == 0, torch.inf).argsort(dim=1, stable=True)
        order.append(ranked[:, : min(at_once, pixels - done)])
        kept.scatter_(1, order[-1], 0)
    return torch.cat(order, 1)


def last_masked(order: Tensor, fraction: float) -> Tensor:
    """Mark the most informative pixels: that fraction of them, rounded, and at least one.

    Returns:
        Booleans (images, pixels).

    """
    pixels = order.shape[1]
    chosen = order[:, pixels - max(1, round(fraction * pixels)) :]
    return torch.zeros_like(order, dtype=torch.bool).scatter(1, chosen, value=True)


@torch.inference_mode()
def label_confidence(network: nn.Module, images: Tensor, labels: Tensor, kept: Tensor) -> Tensor:
    """Return the probability of each image's label where only the pixels in ``kept`` are seen.

    Args:
        network: in evaluation mode, (n, channels, height, width) → (n, classes) logits.
        images: (images, channels, height, width).
        labels: (images,).
        kept: booleans (images, pixels).

    Returns:
        (images,).

    """
    at_once = batch_size(images)
    batches = zip(torch.split(images, at_once), torch.split(kept, at_once), strict=True)
    softmax = torch.cat([network(masked(batch, own)).softmax(1) for batch, own in batches])
    return softmax.gather(1, labels[:, None])[:, 0]


def masked(images: Tensor, kept: Tensor) -> Tensor:
    """Multiply all channels of ``images`` by ``kept``, (images, pixels)."""
    return images * kept.view(len(images), 1, *images.shape[2:])
