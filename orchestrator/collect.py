"""Store → one tidy, schema-checked Arrow table with a row for every cell; partial sweeps too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestrator.spec.labels import label
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

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
    """Turn the table into a DataFrame whose ``correct`` column holds one boolean array per row."""
    scalars = cells.drop_columns(["correct"]).to_pandas()
    correct = [row.values.to_numpy(zero_copy_only=False) for row in cells["correct"]]
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
        "schedule": chain.name.rpartition("/")[2] if chain.method else "",
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
    correct: dict[str, np.ndarray[Any, Any]] = {}
    for evaluation in evaluations:
        correct |= _correct(store.read(evaluation, "predictions.parquet"))
    for cell, task in zip(plan.tasks, plan.spec.tasks, strict=True):
        if cell.key in correct:
            hits = correct[cell.key]
            yield {
                "task": task.label,
                "distribution": task.distribution,
                "examples": len(hits),
                "accuracy": float(hits.mean()),
                "error": float((~hits).mean()),
                "correct": hits,
            }


def _correct(blob: bytes) -> Mapping[str, np.ndarray[Any, Any]]:
    """Map each task key of an evaluation to whether each test example was predicted correctly."""
    table = pq.read_table(BytesIO(blob), columns=["task", "label", "predicted"])
    tasks = table["task"].combine_chunks().dictionary_encode()
    codes = np.asarray(tasks.indices)
    hits = np.asarray(table["label"]) == np.asarray(table["predicted"])
    return {name: hits[codes == code] for code, name in enumerate(tasks.dictionary.to_pylist())}
