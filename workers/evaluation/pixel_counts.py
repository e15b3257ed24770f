"""What a network for segmentation predicts on a task: pixels counted by image and class.

True positives, predicted and labelled pixels make the IoU of any set of images.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.loss import IGNORED

Counts = NDArray[np.int32]
COUNTS = ("true_positive", "predicted", "labelled")


@dataclass(frozen=True)
class PixelCounts:
    """Pixels of one task in test-set order, each of shape (images, classes).

    Pixels that are labelled as of no class are left out everywhere.

    Attributes:
        task: key of the task.
        true_positive: predicted as the class that they are labelled as.
        predicted: predicted as the class.
        labelled: labelled as the class.

    """

    task: str
    true_positive: Counts
    predicted: Counts
    labelled: Counts


@torch.inference_mode()
def pixel_counts(
    task: str, logits: Iterable[Tensor], labels: NDArray[np.uint8] | NDArray[np.int64]
) -> PixelCounts:
    """Count the pixels of every image, batch by batch and where the logits are.

    Args:
        task: key of the task.
        logits: batches (n, classes, height, width), of all images in order.
        labels: (images, height, width).

    """
    parts, first = [], 0
    for batch in logits:
        # np.array copies: a memory-mapped file is read-only, which tensors cannot express.
        truth = torch.from_numpy(np.array(labels[first : first + len(batch)]))
        parts.append(_count(batch, truth.to(batch.device).long()).cpu())
        first += len(batch)
    counts = torch.cat(parts).int().unbind(1)
    return PixelCounts(task, *(count.numpy() for count in counts))


def _count(logits: Tensor, labels: Tensor) -> Tensor:
    """Return (n, 3, classes): what ``COUNTS`` names, in that order."""
    images, classes = logits.shape[:2]
    predicted = logits.argmax(1)
    row = torch.arange(images, device=logits.device)[:, None, None] * classes
    known = labels != IGNORED
    right = known & (predicted == labels)
    cells = ((row + labels)[right], (row + predicted)[known], (row + labels)[known])
    counts = [torch.bincount(cell, minlength=images * classes) for cell in cells]
    return torch.stack([count.view(images, classes) for count in counts], 1)


def to_parquet(counts: Iterable[PixelCounts]) -> bytes:
    """Write the counts of one network: task, image, class and the three counts.

    A class has a row where an image is labelled or predicted to show it. An image with no counted
    pixel has one of zeros, so that the number of images can be told.
    """
    table = pa.concat_tables(map(_table, counts)).unify_dictionaries()
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=["task", "class"])
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _table(counts: PixelCounts) -> pa.Table:
    shown = (counts.predicted > 0) | (counts.labelled > 0)
    shown[~shown.any(axis=1), 0] = True
    image, label = np.nonzero(shown)
    names = pa.array([counts.task], pa.string())
    columns = {name: getattr(counts, name)[shown].astype(np.int32) for name in COUNTS}
    return pa.table(
        {
            "task": pa.DictionaryArray.from_arrays(np.zeros(len(image), np.int32), names),
            "image": image.astype(np.int32),
            "class": label.astype(np.int16),
            **columns,
        }
    )
