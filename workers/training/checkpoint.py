"""Half-done training to and from bytes, so that an interrupted one continues bit for bit."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from safetensors.torch import load, save
from torch import nn

from workers.checkpoint import portable


@dataclass
class Progress:
    """What is done: the mean loss of every finished epoch, and the seconds they took."""

    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0


def dump(network: nn.Module, optimizer: torch.optim.SGD, progress: Progress) -> bytes:
    """Write weights, buffers, momentum and progress as safetensors."""
    tensors = {f"network/{name}": t for name, t in network.state_dict().items()}
    for name, parameter in network.named_parameters():
        momentum = optimizer.state[parameter].get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum/{name}"] = momentum
    tensors["losses"] = torch.tensor(progress.losses, dtype=torch.float64)
    tensors["seconds"] = torch.tensor(progress.seconds, dtype=torch.float64)
    content: bytes = save({name: portable(tensor) for name, tensor in tensors.items()})
    return content


def restore(content: bytes, network: nn.Module, optimizer: torch.optim.SGD) -> Progress:
    """Set ``network`` and ``optimizer`` to what ``dump`` wrote and return the progress."""
    tensors = load(content)
    network.load_state_dict(
        {
            name.removeprefix("network/"): tensor
            for name, tensor in tensors.items()
            if name.startswith("network/")
        }
    )
    for name, parameter in network.named_parameters():
        if (momentum := tensors.get(f"momentum/{name}")) is not None:
            layout = torch.empty_like(parameter, requires_grad=False)
            optimizer.state[parameter]["momentum_buffer"] = layout.copy_(momentum)
    return Progress(tensors["losses"].tolist(), float(tensors["seconds"]))
