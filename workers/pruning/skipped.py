"""The weights of a network that no method prunes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from torch import nn

from workers.pruning.prunable import prunable_weights

GROUPED = "Conv2d with groups"
WORTH_TELLING = 0.01


@dataclass(frozen=True)
class Skipped:
    """Weights that no method prunes.

    Attributes:
        kind: the type of module that owns them.
        names: of the parameters.
        parameters: their entries.

    """

    kind: str
    names: tuple[str, ...]
    parameters: int


def skipped_weights(network: nn.Module) -> tuple[Skipped, ...]:
    """Find the matrices and kernels that are not prunable, by the type of module that owns them.

    Grouped convolutions are always told of; other kinds if they hold more than a hundredth of all
    parameters, such as an embedding or a transposed convolution. Biases and normalisation are not:
    they are no matrices.
    """
    pruned = {id(weight) for weight in prunable_weights(network).values()}
    named: dict[str, dict[str, nn.Parameter]] = defaultdict(dict)
    for prefix, module in network.named_modules():
        for name, parameter in module.named_parameters(prefix, recurse=False):
            if parameter.dim() > 1 and id(parameter) not in pruned:
                named[_kind(module)][name] = parameter
    least = WORTH_TELLING * sum(p.numel() for p in network.parameters())
    found = (Skipped(k, tuple(p), sum(w.numel() for w in p.values())) for k, p in named.items())
    return tuple(s for s in found if s.kind == GROUPED or s.parameters > least)


def _kind(module: nn.Module) -> str:
    grouped = isinstance(module, nn.Conv2d) and module.groups > 1
    return GROUPED if grouped else type(module).__name__
