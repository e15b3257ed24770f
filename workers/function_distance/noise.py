"""Outputs under uniform input noise, and how alike those of two networks are.

Lost in Pruning (MLSys 2021), "noise similarity". Outputs are softmax probabilities of shape (draws,
images, classes), two networks' on the same noisy images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor, nn

from workers.tasks.uniform_input_noise import UniformInputNoise

BATCH = 256
"""Images that pass a network at once, on every device, so that all devices see the same noise."""


@torch.inference_mode()
def noisy_softmax(
    network: nn.Module, images: Tensor, *, level: float, draws: int, seed: int
) -> Tensor:
    """Predict ``images`` under independent draws of U(−level, level) per value, without clipping.

    Args:
        network: in evaluation mode, (n, channels, height, width) → (n, classes) logits.
        images: normalised, (images, channels, height, width), on the device of the network.
        level: half-width ε of the noise, at least 0.
        draws: how often each image is drawn anew.
        seed: all of the randomness; the same noise for every network.

    Returns:
        (draws, images, classes) on that device.

    """
    noise, generator = UniformInputNoise(level=level), torch.Generator().manual_seed(seed)
    batches = torch.split(images, BATCH)
    outputs = [
        torch.cat([network(noise.perturb(batch, generator)).softmax(1) for batch in batches])
        for _ in range(draws)
    ]
    return torch.stack(outputs)


def matching_labels(outputs: Tensor, reference: Tensor) -> Tensor:
    """Return the fraction of images with the same predicted class, (draws,)."""
    return (outputs.argmax(2) == reference.argmax(2)).double().mean(1)


def softmax_distance(outputs: Tensor, reference: Tensor) -> Tensor:
    """Return ‖softmax f(x′) − softmax g(x′)‖₂ of every image, mean over draws, (images,)."""
    return (outputs - reference).square().sum(2).sqrt().double().mean(0)


def correct_labels(outputs: Tensor, labels: Tensor) -> Tensor:
    """Count the images whose predicted class is their label, (draws,)."""
    return (outputs.argmax(2) == labels).sum(1)


def prune_potential(
    correct: Tensor, parent: Tensor, ratios: Sequence[float], *, delta: float, images: int
) -> Tensor:
    """Return the largest prune ratio whose accuracy is at least the parent's − δ, (draws,).

    As in the paper nothing is asked of smaller ratios; 0 where no ratio qualifies.

    Args:
        correct: correct labels of the pruned networks, (networks, draws).
        parent: correct labels of the parent, (draws,).
        ratios: prune ratios of the networks.
        delta: δ, read as the decimal number that it is written as.
        images: of how many.

    """
    allowed = math.floor(Fraction(repr(float(delta))) * images)
    commensurate = parent - correct <= allowed
    kept_up = torch.tensor(ratios, dtype=torch.float64, device=correct.device)[:, None]
    return (kept_up * commensurate).amax(0)
