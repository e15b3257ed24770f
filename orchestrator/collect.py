"""Store → one tidy, schema-checked Arrow table with a row for every cell; partial sweeps too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from orchestrator.spec.labels import label
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

Column = NDArray[Any]
PREDICTIONS = ("label", "predicted")
COUNTS = ("image", "class", "true_positive", "predicted", "labelled")
CELLS = pa.schema(
    [
        ("network", pa.string()),
        ("model", pa.string()),
        ("data", pa.string()),
        ("seed", pa.int64()),
        ("method", pa.string()),
        ("schedule", pa.string()),
        ("level", pa.int16()),
        ("requested_ratio", pa.float64()),
        ("achieved_ratio", pa.float64()),
        ("network_key", pa.string()),
        ("task", pa.string()),
        ("distribution", pa.string()),
        ("examples", pa.int32()),
        ("accuracy", pa.float64()),
        ("error", pa.float64()),
        ("correct", pa.large_list(pa.bool_())),  # a large sweep has over 2^31 examples
        ("shares", pa.large_list(pa.float64())),  # of segmentation, in place of ``correct``
    ]
)


def collect(plan: Plan, store: Store, chains: Iterable[Chain] | None = None) -> pa.Table:
    """Gather every committed cell of ``plan`` (or of some of its ``chains``), in the plan's order.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    if chains is None:
        chosen, evaluations_of = plan.chains, _listed(store)
    else:
        chosen, evaluations_of = tuple(chains), store.evaluations
    rows = [row for chain in chosen for row in _chain_rows(plan, store, chain, evaluations_of)]
    return pa.Table.from_pylist(rows, schema=CELLS)


def frame(cells: pa.Table) -> pd.DataFrame:
    """Turn the table into a DataFrame whose ``correct`` column holds one array per row.

    It is boolean, or for segmentation the images' shares of the mean IoU, float64.
    """
    scalars = cells.drop_columns(["correct", "shares"]).to_pandas()
    correct = [
        (hits if hits.is_valid else shares).values.to_numpy(zero_copy_only=False)
        for hits, shares in zip(cells["correct"], cells["shares"], strict=True)
    ]
    return scalars.assign(correct=pd.Series(correct, dtype=object))


def _listed(store: Store) -> Callable[[str], list[str]]:
    """Look evaluations up in one listing of the store, where many are asked for."""
    evaluations = store.index().evaluations
    return lambda network: sorted(evaluations.get(network, ()))


def _chain_rows(
    plan: Plan, store: Store, chain: Chain, evaluations_of: Callable[[str], list[str]]
) -> Iterator[dict[str, Any]]:
    shared = {
        "network": chain.network,
        "model": label(chain.model),
        "data": chain.data.name,
        "seed": chain.seed,
        "method": label(chain.method) if chain.method else "dense",
        "schedule": chain.schedule.label if chain.schedule else "",
    }
    for level, key in enumerate(chain.networks, start=1 if chain.method else 0):
        evaluations = evaluations_of(key)
        if not evaluations or not store.has(key):
            continue
        record = store.record(key)
        network = {
            "level": level,
            "requested_ratio": record["requested_ratio"],
            "achieved_ratio": record["achieved_ratio"],
            "network_key": key,
        }
        for cell in _cells(plan, store, evaluations):
            yield shared | network | cell


def _cells(plan: Plan, store: Store, evaluations: Iterable[str]) -> Iterator[dict[str, Any]]:
    measured: dict[str, dict[str, Any]] = {}
    for evaluation in evaluations:
        measured |= _measured(store.read(evaluation, "predictions.parquet"))
    for cell, task in zip(plan.tasks, plan.spec.tasks, strict=True):
        if cell.key in measured:
            yield {
                "task": task.label,
                "distribution": task.distribution,
                **measured[cell.key],
            }


def _measured(blob: bytes) -> dict[str, dict[str, Any]]:
    """Map each task key of an evaluation to the columns that tell how well the network did."""
    columns = pq.read_schema(BytesIO(blob)).names
    wanted = COUNTS if "image" in columns else PREDICTIONS
    table = pq.read_table(BytesIO(blob), columns=["task", *wanted])
    tasks = table["task"].combine_chunks().dictionary_encode()
    codes = np.asarray(tasks.indices)
    values = [np.asarray(table[column]) for column in wanted]
    score = _of_maps if wanted is COUNTS else _of_classes
    return {
        name: score(*(column[codes == code] for column in values))
        for code, name in enumerate(tasks.dictionary.to_pylist())
    }


def _of_classes(label: Column, predicted: Column) -> dict[str, Any]:
    """Compare the predictions with the labels; of images without any, −1, the accuracy is NaN."""
    hits = label == predicted
    shares = (float(hits.mean()), float((~hits).mean())) if (label >= 0).any() else (nan, nan)
    return {"examples": len(hits), "accuracy": shares[0], "error": shares[1], "correct": hits}


def _of_maps(image: Column, label: Column, *counts: Column) -> dict[str, Any]:
    """Score the pixels that are counted in ``COUNTS``: accuracy is the mean IoU."""
    # Here, because its package imports SciPy, which a run that classifies does without.
    from orchestrator.analysis.mean_iou import image_shares, mean_iou

    dense = np.zeros((len(counts), image.max() + 1, label.max() + 1), dtype=np.int64)
    dense[:, image, label] = counts
    accuracy = mean_iou(*dense)
    return {
        "examples": dense.shape[1],
        "accuracy": accuracy,
        "error": 1 - accuracy,
        "shares": image_shares(*dense),
    }
