"""What a network predicts on a task, per example, and its Parquet form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

PREDICTIONS = "predictions.parquet"
COLUMNS: dict[str, type[np.generic]] = {
    "label": np.int16,
    "predicted": np.int16,
    "p_true": np.float32,
    "confidence": np.float32,
    "energy": np.float16,
    "brier": np.float16,
    "entropy": np.float16,
    "modified_entropy": np.float16,
}
CODED = ("label", "predicted")


@dataclass(frozen=True)
class Predictions:
    """Predictions on one task, in test-set order, each of shape (examples,).

    What compares with the true class is NaN where the label is −1, of none of the classes. The last
    four are in half precision: three digits, at half of the bytes.

    Attributes:
        task: key of the task.
        label: the true class.
        predicted: the class of the largest logit, the first of equals.
        p_true: softmax probability of the true class.
        confidence: softmax probability of the predicted class.
        energy: log Σ exp(logit), the negative free energy: low for outliers (Liu et al., 2020).
        brier: Σ (p − y)² over the classes, y being 1 for the true one (Brier, 1950).
        entropy: −Σ p log p, in nats.
        modified_entropy: −(1 − p_y) log p_y − Σ p_k log(1 − p_k) over the other classes k, low for
            members of the training (Song & Mittal, 2021).

    """

    task: str
    label: NDArray[np.int16]
    predicted: NDArray[np.int16]
    p_true: NDArray[np.float32]
    confidence: NDArray[np.float32]
    energy: NDArray[np.float16]
    brier: NDArray[np.float16]
    entropy: NDArray[np.float16]
    modified_entropy: NDArray[np.float16]


def to_parquet(predictions: Iterable[Predictions]) -> bytes:
    """Write the predictions of one network as one Parquet file: task, then ``COLUMNS``."""
    parts = list(predictions)
    codes = np.repeat(np.arange(len(parts), dtype=np.int32), [len(p.label) for p in parts])
    names = pa.array([p.task for p in parts], pa.string())
    columns = {name: _column(parts, name) for name in COLUMNS}
    table = pa.table({"task": pa.DictionaryArray.from_arrays(codes, names), **columns})
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=["task", *CODED],
        use_byte_stream_split=[name for name in COLUMNS if name not in CODED],
    )
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_parquet(blob: bytes) -> list[Predictions]:
    """Read what ``to_parquet`` wrote, in the order it was written.

    Raises:
        pyarrow.ArrowInvalid: the bytes are no Parquet file.

    """
    table = pq.read_table(pa.BufferReader(blob)).combine_chunks()
    if not len(table):
        return []
    tasks = table["task"].combine_chunks()
    columns = [table[name].to_numpy() for name in COLUMNS]
    starts = np.flatnonzero(np.diff(tasks.indices.to_numpy(), prepend=-1))
    parts = zip(*(np.split(column, starts[1:]) for column in columns), strict=True)
    names = [tasks[int(start)].as_py() for start in starts]
    return [Predictions(name, *part) for name, part in zip(names, parts, strict=True)]


def _column(parts: list[Predictions], name: str) -> NDArray[np.generic]:
    dtype = COLUMNS[name]
    return np.concatenate([np.empty(0, dtype), *(getattr(part, name) for part in parts)])
