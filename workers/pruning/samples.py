"""How many samples a network's sensitivities are estimated from."""

from __future__ import annotations

import math
from collections.abc import Iterable

from workers.contracts import Parity
from workers.pruning.bounds import DELTA, C
from workers.pruning.size import LayerShape

BATCH, MAP_BATCH = 32, 4
"""Samples that pass a network at once, and in segmentation, where gradients take a GB an image."""


def sample_count(
    shapes: Iterable[LayerShape],
    *,
    held_out: int,
    batch_size: int,
    parity: Parity,
    delta: float = DELTA,
) -> int:
    """Return C ln(8 η_max η_sum / δ), where η are the numbers of outputs of the layers.

    The release made with the paper rounds up to whole training batches and takes all that is held
    out at most, the latest one takes half of it at most.

    Args:
        shapes: of the prunable layers.
        held_out: images that no network trains on.
        batch_size: of training.
        parity: whose rounding.
        delta: the probability δ that the bound fails.

    """
    outputs = [shape.outputs for shape in shapes]
    if not outputs:
        return min(batch_size, held_out)
    bound = math.ceil(C * math.log(8 * max(outputs) * sum(outputs) / delta))
    if parity == "latest":
        return min(bound, held_out // 2)
    return min(math.ceil(bound / batch_size) * batch_size, held_out)
