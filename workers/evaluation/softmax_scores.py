"""What is kept of the logits of an example, on whatever device they are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.evaluation.predictions import COLUMNS, Predictions

HALF = torch.finfo(torch.float16).max


def predictions(
    task: str, logits: Iterable[Tensor], labels: NDArray[np.uint8] | NDArray[np.int64]
) -> Predictions:
    """Gather what ``Predictions`` keeps, batch by batch; the device is waited for at the end.

    Args:
        task: key of the task.
        logits: batches (n, classes) of float32, of all examples in order.
        labels: (examples,), −1 being none of the classes.

    """
    parts, first = [], 0
    for batch in logits:
        # np.array copies: a memory-mapped file is read-only, which tensors cannot express.
        truth = torch.from_numpy(np.array(labels[first : first + len(batch)], dtype=np.int64))
        parts.append(softmax_scores(batch, truth.to(batch.device, non_blocking=True)))
        first += len(batch)
    columns = {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in COLUMNS}
    return Predictions(task, **{name: columns[name].astype(COLUMNS[name]) for name in COLUMNS})


@torch.inference_mode()
def softmax_scores(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return the columns of ``Predictions``, each of shape (n,).

    Args:
        logits: (n, classes), float32.
        labels: (n,), −1 being none of the classes.

    """
    logarithm, probability = logits.log_softmax(1), logits.softmax(1)
    confidence, predicted = probability.max(1).values, logits.argmax(1)
    truth = labels.clamp_min(0)[:, None]
    p_true, log_true = (one.gather(1, truth)[:, 0] for one in (probability, logarithm))
    log_doubt = _log_doubt(logits, probability)
    others = (probability * log_doubt).scatter(1, truth, 0.0)
    modified = -log_doubt.gather(1, truth)[:, 0].exp() * log_true - others.sum(1)
    scores = {
        "p_true": p_true,
        "brier": (probability.square().sum(1) - 2 * p_true + 1).clamp_min(0),
        "modified_entropy": modified.clamp_max(HALF),
    }
    known = {name: score.where(labels >= 0, torch.nan) for name, score in scores.items()}
    return {
        "label": labels,
        "predicted": predicted,
        "confidence": confidence,
        "energy": logits.logsumexp(1).clamp(-HALF, HALF),
        "entropy": -(probability * logarithm).sum(1),
        **known,
    }


def _log_doubt(logits: Tensor, probability: Tensor) -> Tensor:
    """Return log(1 − p); of the largest p from what is left, as 1 − p would have no digits."""
    top = logits.argmax(1, keepdim=True)
    left = logits.scatter(1, top, -torch.inf).logsumexp(1, keepdim=True)
    return (-probability).log1p().scatter(1, top, left - logits.logsumexp(1, keepdim=True))
