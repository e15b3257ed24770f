"""What a network predicts on a task, per example, and its Parquet form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True)
class Predictions:
    """Predictions on one task, in test-set order, each of shape (examples,).

    Attributes:
        task: key of the task.
        label: the true class.
        predicted: the class of the largest logit, the first of equals.
        p_true: softmax probability of the true class.
        confidence: softmax probability of the predicted class.

    """

    task: str
    label: NDArray[np.int16]
    predicted: NDArray[np.int16]
    p_true: NDArray[np.float32]
    confidence: NDArray[np.float32]


def to_parquet(predictions: Iterable[Predictions]) -> bytes:
    """Write the predictions of one network as one Parquet file: task, then the four columns."""
    parts = list(predictions)
    codes = np.repeat(np.arange(len(parts), dtype=np.int32), [len(p.label) for p in parts])
    names = pa.array([p.task for p in parts], pa.string())
    table = pa.table(
        {
            "task": pa.DictionaryArray.from_arrays(codes, names),
            "label": _column([p.label for p in parts], np.int16),
            "predicted": _column([p.predicted for p in parts], np.int16),
            "p_true": _column([p.p_true for p in parts], np.float32),
            "confidence": _column([p.confidence for p in parts], np.float32),
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        use_dictionary=["task", "label", "predicted"],
        use_byte_stream_split=["p_true", "confidence"],
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
    columns = [table[name].to_numpy() for name in ("label", "predicted", "p_true", "confidence")]
    starts = np.flatnonzero(np.diff(tasks.indices.to_numpy(), prepend=-1))
    parts = zip(*(np.split(column, starts[1:]) for column in columns), strict=True)
    names = [tasks[int(start)].as_py() for start in starts]
    return [Predictions(name, *part) for name, part in zip(names, parts, strict=True)]


def _column(
    parts: list[NDArray[np.int16]] | list[NDArray[np.float32]], dtype: type[np.generic]
) -> NDArray[np.generic]:
    return np.concatenate([np.empty(0, dtype), *parts]).astype(dtype, copy=False)
