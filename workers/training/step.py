"""One step of stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.amp import GradScaler

from workers.contracts import Training
from workers.loss import loss
from workers.training.masks import Masks

HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Step:
    """Forward, backward, update, masks: called with images and labels, it takes one step."""

    network: nn.Module
    optimizer: torch.optim.SGD
    scaler: GradScaler
    masks: Masks
    recipe: Training

    def __call__(self, images: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of the batch before the step, still on the device."""
        self.optimizer.zero_grad()
        before = backward(self.network, images, labels, self.recipe, self.scaler)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.masks.apply()
        return before


def sgd(network: nn.Module, recipe: Training, device: torch.device) -> torch.optim.SGD:
    """Make the optimiser of ``recipe``; ``set_rate`` sets its learning rate before every step."""
    # The fused step changes the momentum even where the scaler skips the step for an overflow.
    fused = recipe.precision != "fp16" and device.type in {"cpu", "cuda"}
    on_device = fused and device.type == "cuda"  # where a CUDA graph sees its changes
    return torch.optim.SGD(
        network.parameters(),
        lr=torch.tensor(recipe.lr, device=device) if on_device else recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=fused,
    )


def loss_scaler(recipe: Training, device: torch.device) -> GradScaler:
    """Make the scaler that keeps gradients within the range of float16; elsewhere it is idle."""
    return GradScaler(device.type, enabled=recipe.precision == "fp16")


def set_rate(optimizer: torch.optim.SGD, rate: float) -> None:
    """Set the learning rate of the next step."""
    group = optimizer.param_groups[0]
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def backward(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    recipe: Training,
    scaler: GradScaler | None = None,
) -> Tensor:
    """Add the gradients of the loss of the batch, scaled if ``scaler`` does; return that loss."""
    half = HALF.get(recipe.precision)
    with torch.autocast(images.device.type, dtype=half, enabled=half is not None):
        mean = loss(network(images), labels)
    (scaler.scale(mean) if scaler else mean).backward()  # type: ignore[no-untyped-call]
    return mean.detach()
