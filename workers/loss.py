"""What training minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

IGNORED = 255
"""The label of pixels that belong to no class, as in Pascal VOC."""

AUXILIARY = 0.5
"""Weight of the auxiliary head of a segmentation network, as in Lost in Pruning."""


def loss(outputs: Tensor | Mapping[str, Tensor], labels: Tensor) -> Tensor:
    """Return the mean cross entropy, a scalar with gradients.

    Args:
        outputs: logits (n, classes), or of pixels (n, classes, height, width); or a mapping with
            such logits as "out" and, from an auxiliary head, as "aux", which counts half.
        labels: (n,), or (n, height, width) with pixels of label 255 left out.

    """
    if isinstance(outputs, Tensor):
        return _cross_entropy(outputs, labels)
    main = _cross_entropy(outputs["out"], labels)
    return main + AUXILIARY * _cross_entropy(outputs["aux"], labels) if "aux" in outputs else main


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    # Of images, 255 is a class like any other.
    return F.cross_entropy(logits, labels, ignore_index=IGNORED if labels.ndim > 1 else -100)
