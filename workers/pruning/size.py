"""What a network computes: the shapes of its prunable layers and its multiply-accumulates."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from workers.pruning.passes import Layer, observe_inputs
from workers.pruning.prunable import prunable_weights
from workers.pruning.sensitivity.layers import windows


@dataclass(frozen=True)
class LayerShape:
    """Shape of a prunable layer on images of one size.

    Attributes:
        weight: (outputs, inputs, kernel positions) of its weight; 1 kernel position if linear.
        patches: positions at which the weight is applied to one image: pixels of the output of a
            convolution, 1 for a linear layer on vectors; summed over the layer's calls.

    """

    weight: tuple[int, int, int]
    patches: int

    @property
    def outputs(self) -> int:
        """Scalars that the layer puts out for one image."""
        return self.weight[0] * self.patches


def layer_shapes(network: nn.Module, example: Tensor) -> dict[str, LayerShape]:
    """Measure every prunable layer by one forward pass in evaluation mode.

    Args:
        network: left as it was, modes and hooks included.
        example: a batch of one image or more, (n, channels, height, width).

    Returns:
        By the name of the prunable weight, in the network's order. Absent are layers that the pass
        never calls: unused ones, heads for training only, and those whose weight another module
        reads past them (the output projection of ``nn.MultiheadAttention``).

    """
    weights = prunable_weights(network)
    positions: dict[str, int] = {}

    def count(name: str, layer: Layer, inputs: Tensor) -> None:
        _, images, rows, columns, *_ = windows(layer, inputs).shape
        positions[name] = positions.get(name, 0) + images * rows * columns

    observe_inputs(network, [example], count)
    return {
        name: LayerShape(
            (w.shape[0], w.shape[1], w.shape[2:].numel()), positions[name] // len(example)
        )
        for name, w in weights.items()
        if name in positions
    }


def macs(network: nn.Module, example: Tensor) -> int:
    """Multiply-accumulates for one image: nonzero weights × patches over the prunable layers.

    Biases, normalisation, activations and pooling count nothing (Lost in Pruning, MLSys 2021, and
    its code). Arguments as for ``layer_shapes``.
    """
    shapes = layer_shapes(network, example)
    weights = prunable_weights(network)
    return sum(int(weights[n].count_nonzero()) * shape.patches for n, shape in shapes.items())
