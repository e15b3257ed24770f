"""What stored networks said about every example, one network in memory at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from orchestrator.spec.labels import label
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

Columns = Mapping[str, NDArray[Any]]
"""The columns of one task in test-set order, by name."""
DENSE = "dense"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A committed network of a sweep that has been evaluated; level 0 is a dense parent."""

    network: str
    seed: int
    method: str
    schedule: str
    level: int
    ratio: float
    evaluations: tuple[str, ...]


def populations(plan: Plan, store: Store) -> Iterator[list[Member]]:
    """Yield what differs in nothing but the seed: the parents of a network, then level by level.

    Networks come in the order of the plan, members in the order of its seeds.
    """
    index = store.index()
    groups: dict[tuple[str, str, str, int], list[tuple[Chain, str]]] = {}
    for chain in sorted(plan.chains, key=_network_place(plan)):
        name = (chain.network, *_series(chain))
        for level, key in enumerate(chain.networks, start=1 if chain.method else 0):
            if key in index.networks and key in index.evaluations:
                groups.setdefault((*name, level), []).append((chain, key))
    for (network, method, schedule, level), found in groups.items():
        yield [
            Member(
                network=network,
                seed=chain.seed,
                method=method,
                schedule=schedule,
                level=level,
                ratio=store.record(key)["achieved_ratio"],
                evaluations=tuple(sorted(index.evaluations[key])),
            )
            for chain, key in found
        ]


def networks_by_size(plan: Plan, store: Store) -> Iterator[list[str]]:
    """Yield the networks of each data set that have a parent, from the fewest parameters on."""
    committed = store.index().networks
    parents = {one.network: one for one in plan.chains if one.parent in committed}
    by_data: dict[str, list[str]] = {}
    for name, chain in parents.items():
        by_data.setdefault(chain.fingerprint, []).append(name)
    for names in by_data.values():
        if len(names) > 1:
            yield sorted(names, key=lambda name: store.record(parents[name].parent)["parameters"])


def outputs(store: Store, member: Member, tasks: Mapping[str, str]) -> dict[str, Columns]:
    """Read what ``member`` said on every task that it was tested on.

    Args:
        store: of the sweep.
        member: the network.
        tasks: labels by key; others are left out.

    Returns:
        Columns by the label of the task; those of segmentation have a row per image and class.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    found: dict[str, Columns] = {}
    for evaluation in member.evaluations:
        for key, columns in _by_task(store.read(evaluation, "predictions.parquet")):
            if key in tasks:
                found[tasks[key]] = columns
    return found


def _by_task(blob: bytes) -> Iterator[tuple[str, Columns]]:
    table = pq.read_table(BytesIO(blob)).combine_chunks()
    if not len(table):
        return
    tasks = table["task"].combine_chunks().dictionary_encode()
    columns = {name: table[name].to_numpy() for name in table.column_names if name != "task"}
    codes = np.asarray(tasks.indices)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    ends: Iterable[int] = (*starts[1:], len(codes))
    for start, end in zip(starts, ends, strict=True):
        rows = {name: column[start:end] for name, column in columns.items()}
        yield tasks[int(start)].as_py(), rows


def _series(chain: Chain) -> tuple[str, str]:
    method = label(chain.method) if chain.method else DENSE
    return method, chain.schedule.label if chain.schedule else ""


def _network_place(plan: Plan) -> Any:
    places = {network.name: place for place, network in enumerate(plan.spec.networks)}
    return lambda chain: places[chain.network]
