"""A training in progress, to and from bytes, so that it continues bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from safetensors.torch import load, save
from torch import nn
from torch.amp import GradScaler

from workers.checkpoint import portable


@dataclass
class Progress:
    """What changes while a network trains.

    Attributes:
        network: its weights and buffers.
        optimizer: its momentum.
        scaler: of the loss, in float16; not enabled in any other precision.
        losses: the mean loss of every finished epoch.
        seconds: that these took.

    """

    network: nn.Module
    optimizer: torch.optim.SGD
    scaler: GradScaler
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def dump(self) -> bytes:
        """Write everything as safetensors."""
        tensors = {f"network/{name}": t for name, t in self.network.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            momentum = self.optimizer.state[parameter].get("momentum_buffer")
            if momentum is not None:
                tensors[f"momentum/{name}"] = momentum
        if self.scaler.is_enabled():
            scale = self.scaler.state_dict()
            tensors["scale"] = torch.tensor(scale["scale"], dtype=torch.float64)
            tensors["scale_growth"] = torch.tensor(scale["_growth_tracker"])
        tensors["losses"] = torch.tensor(self.losses, dtype=torch.float64)
        tensors["seconds"] = torch.tensor(self.seconds, dtype=torch.float64)
        content: bytes = save({name: portable(tensor) for name, tensor in tensors.items()})
        return content

    def restore(self, content: bytes) -> None:
        """Set everything, network and optimiser in place, to what ``dump`` wrote."""
        tensors = load(content)
        prefix = "network/"
        self.network.load_state_dict(
            {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        )
        for name, parameter in self.network.named_parameters():
            if (momentum := tensors.get(f"momentum/{name}")) is not None:
                layout = torch.empty_like(parameter, requires_grad=False)
                self.optimizer.state[parameter]["momentum_buffer"] = layout.copy_(momentum)
        if self.scaler.is_enabled():
            scale, growth = float(tensors["scale"]), int(tensors["scale_growth"])
            changed = {"scale": scale, "_growth_tracker": growth}
            self.scaler.load_state_dict(self.scaler.state_dict() | changed)
        self.losses, self.seconds = tensors["losses"].tolist(), float(tensors["seconds"])


def finished_epochs(content: bytes) -> int:
    """Count the epochs that were finished when ``content`` was written."""
    return len(load(content)["losses"])
