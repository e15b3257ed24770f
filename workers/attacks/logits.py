"""What attacks read from the logits of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


def chosen(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the logit of one class per image, (n,), of logits (n, classes) and classes (n,)."""
    return logits.gather(1, classes[:, None])[:, 0]


def margins(logits: Tensor, labels: Tensor) -> Tensor:
    """Return by how much each label leads the strongest other class, below 0 if it does not.

    Args:
        logits: (n, classes).
        labels: (n,).

    """
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return chosen(logits, labels) - others.amax(1)


def rivals(logits: Tensor, labels: Tensor, count: int) -> Tensor:
    """Return the other classes with the largest logits, the largest first, (n, count).

    Args:
        logits: (n, classes).
        labels: (n,).
        count: of them; all others where there are fewer.

    """
    others = logits.scatter(1, labels[:, None], -torch.inf)
    ranked = others.sort(dim=1, descending=True, stable=True).indices
    return ranked[:, : min(count, logits.shape[1] - 1)]
