"""Trains a network, dense or masked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.contracts import PermanentError, Scratch, Training
from workers.training.checkpoint import Progress, finished_epochs
from workers.training.cuda_graph import CudaRecorder, GraphedStep
from workers.training.masks import Masks
from workers.training.schedule import learning_rate
from workers.training.seeding import be_deterministic, derive_seed
from workers.training.step import Step, loss_scaler, set_rate, sgd
from workers.training.train_data import TrainData


class TrainingDivergedError(PermanentError):
    """The loss or a weight is no longer a finite number."""


@dataclass(frozen=True)
class TrainingResult:
    """The mean loss of every epoch from ``start`` on, and the seconds that all of them took."""

    losses: list[float]
    seconds: float


def train(
    network: nn.Module,
    data: TrainData,
    recipe: Training,
    *,
    seed: int,
    device: torch.device,
    masks: Mapping[str, Tensor] | None = None,
    start: int = 0,
    until: int | None = None,
    resume: Scratch | None = None,
    checkpoint_seconds: float = 30.0,
    graph: bool = True,
    on_epoch: Callable[[int, int, float], None] = lambda done, total, loss: None,
) -> TrainingResult:
    """Train ``network`` in place by stochastic gradient descent and keep the last weights.

    Args:
        network: images to what ``workers.loss`` takes; left in evaluation mode.
        data: on ``device``.
        recipe: what to do.
        seed: of order, augmentation and dropout, each epoch with its own.
        device: where to train.
        masks: 0/1 tensors by parameter name; what is masked is zero after every step.
        start: the epoch of the recipe that the run begins at, as if those before it were done
            (weight rewinding).
        until: stop once so many epochs of the recipe are done and leave the training in ``resume``,
            for a call without ``until`` to continue; 0 leaves the untrained network there.
        resume: what it holds is continued, to the bit on the CPU, unless it is past ``until``;
            epochs are saved to it.
        checkpoint_seconds: at most so often.
        graph: on a GPU, replay the step as a CUDA graph; in float16 it is never done.
        on_epoch: is told the epochs done, those of the whole run, and the mean loss of the epoch.

    Raises:
        TrainingDivergedError: a loss or weight is not finite.
        MaskViolatedError: a masked weight is not zero after an epoch.

    """
    be_deterministic(device)
    network.to(device).to(memory_format=torch.channels_last).train()
    progress = Progress(network, sgd(network, recipe, device), loss_scaler(recipe, device))
    last = recipe.epochs if until is None else min(until, recipe.epochs)
    saved = resume.read() if resume else None
    if saved is not None and start + finished_epochs(saved) <= last:
        progress.restore(saved)
    mask = Masks(network, masks or {})
    mask.apply()
    plain = Step(network, progress.optimizer, progress.scaler, mask, recipe)
    graphed = graph and device.type == "cuda" and recipe.precision != "fp16"
    step = GraphedStep(plain, CudaRecorder(device)) if graphed else plain
    earlier, begun = progress.seconds, time.monotonic()
    written = begun
    for epoch in range(start + len(progress.losses), last):
        loss = _train_epoch(step, progress.optimizer, data, recipe, seed, epoch)
        _check_finite(network, loss, recipe, epoch)
        mask.check()
        progress.losses.append(loss)
        progress.seconds = earlier + time.monotonic() - begun
        on_epoch(epoch + 1 - start, recipe.epochs - start, loss)
        if resume and epoch + 1 < last and time.monotonic() - written >= checkpoint_seconds:
            resume.write(progress.dump())
            written = time.monotonic()
    if resume and last < recipe.epochs:
        resume.write(progress.dump())
    progress.optimizer.zero_grad()
    # Back to the layout it is stored in: sums over weights round differently in another one.
    network.to(memory_format=torch.contiguous_format).eval()
    return TrainingResult(progress.losses, progress.seconds)


def _train_epoch(
    step: Callable[[Tensor, Tensor], Tensor],
    optimizer: torch.optim.SGD,
    data: TrainData,
    recipe: Training,
    seed: int,
    epoch: int,
) -> float:
    """Train for one epoch and return its mean loss, the only number that leaves the device."""
    torch.manual_seed(derive_seed(seed, "network", epoch))
    steps = data.steps_per_epoch(recipe)
    total, seen = torch.zeros((), device=data.mean.device), 0
    for index, (images, labels) in enumerate(data.batches(recipe, seed, epoch)):
        set_rate(optimizer, learning_rate(recipe, epoch * steps + index, steps))
        total += step(images, labels) * len(labels)
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
