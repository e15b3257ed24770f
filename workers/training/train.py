"""Trains a network, dense or masked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.contracts import PermanentError, Scratch, Training
from workers.training.checkpoint import Progress, dump, restore
from workers.training.device_data import DeviceData
from workers.training.masks import Masks
from workers.training.schedule import learning_rate
from workers.training.seeding import be_deterministic, derive_seed


class TrainingDivergedError(PermanentError):
    """The loss or a weight is no longer a finite number."""


@dataclass(frozen=True)
class TrainingResult:
    """The mean loss of every epoch, and the seconds that all of them took."""

    losses: list[float]
    seconds: float


def train(
    network: nn.Module,
    data: DeviceData,
    recipe: Training,
    *,
    seed: int,
    device: torch.device,
    masks: Mapping[str, Tensor] | None = None,
    resume: Scratch | None = None,
    checkpoint_seconds: float = 30.0,
    on_epoch: Callable[[int, int, float], None] = lambda done, total, loss: None,
) -> TrainingResult:
    """Train ``network`` in place by stochastic gradient descent and keep the last weights.

    Args:
        network: (n, channels, height, width) → (n, classes) logits; left in evaluation mode.
        data: on ``device``.
        recipe: what to do.
        seed: of order, augmentation and dropout, each epoch with its own.
        device: where to train.
        masks: 0/1 tensors by parameter name; masked weights are zero after every step.
        resume: what it holds is continued, to the bit on the CPU; epochs are saved to it.
        checkpoint_seconds: at most so often.
        on_epoch: is told epochs done, epochs in all, and the mean loss of the epoch.

    Raises:
        TrainingDivergedError: a loss or weight is not finite.
        MaskViolatedError: a masked weight is not zero after an epoch.

    """
    be_deterministic(device)
    network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = sgd(network, recipe, device)
    saved = resume.read() if resume else None
    progress = restore(saved, network, optimizer) if saved else Progress()
    mask = Masks(network, masks or {})
    mask.apply()
    earlier, start = progress.seconds, time.monotonic()
    written = start
    for epoch in range(len(progress.losses), recipe.epochs):
        loss = _train_epoch(network, optimizer, mask, data, recipe, seed, epoch)
        _check_finite(network, loss, recipe, epoch)
        mask.check()
        progress.losses.append(loss)
        progress.seconds = earlier + time.monotonic() - start
        on_epoch(epoch + 1, recipe.epochs, loss)
        if (
            resume
            and epoch + 1 < recipe.epochs
            and time.monotonic() - written >= checkpoint_seconds
        ):
            resume.write(dump(network, optimizer, progress))
            written = time.monotonic()
    # Back to the layout it is stored in: sums over weights round differently in another one.
    network.to(memory_format=torch.contiguous_format).eval()
    return TrainingResult(progress.losses, progress.seconds)


def sgd(network: nn.Module, recipe: Training, device: torch.device) -> torch.optim.SGD:
    """Make the optimiser of ``recipe``; ``train`` sets its learning rate before every step."""
    return torch.optim.SGD(
        network.parameters(),
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=device.type in {"cpu", "cuda"},
    )


def train_step(
    network: nn.Module, optimizer: torch.optim.SGD, images: Tensor, labels: Tensor, recipe: Training
) -> Tensor:
    """Take one step and return the mean loss of the batch, still on the device."""
    optimizer.zero_grad()
    loss = backward(network, images, labels, recipe)
    optimizer.step()
    return loss


def backward(network: nn.Module, images: Tensor, labels: Tensor, recipe: Training) -> Tensor:
    """Add the gradients of the mean loss of the batch, and return that loss."""
    half = recipe.precision == "bf16"
    with torch.autocast(images.device.type, dtype=torch.bfloat16, enabled=half):
        loss = F.cross_entropy(network(images), labels)
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


def _train_epoch(
    network: nn.Module,
    optimizer: torch.optim.SGD,
    mask: Masks,
    data: DeviceData,
    recipe: Training,
    seed: int,
    epoch: int,
) -> float:
    """Train for one epoch and return its mean loss, the only number that leaves the device."""
    torch.manual_seed(derive_seed(seed, "network", epoch))
    steps = data.steps_per_epoch(recipe)
    total, seen = torch.zeros((), device=data.mean.device), 0
    for index, (images, labels) in enumerate(data.batches(recipe, seed, epoch)):
        optimizer.param_groups[0]["lr"] = learning_rate(recipe, epoch * steps + index, steps)
        total += train_step(network, optimizer, images, labels, recipe) * len(labels)
        mask.apply()
        seen += len(labels)
    return float(total) / seen


def _check_finite(network: nn.Module, loss: float, recipe: Training, epoch: int) -> None:
    norms = torch._foreach_norm([parameter.detach() for parameter in network.parameters()])
    if math.isfinite(loss) and bool(torch.stack(list(norms)).isfinite().all()):
        return
    raise TrainingDivergedError(
        f"training diverged in epoch {epoch + 1} of {recipe.epochs} (loss {loss}) with a learning "
        f"rate of {recipe.lr:g}: lower 'lr', raise 'warmup', or check the data for wrong labels"
    )
