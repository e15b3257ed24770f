"""What measures found, as one tidy table."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from orchestrator.robustness.columns import Row
from orchestrator.robustness.outputs import DENSE
from orchestrator.spec.labels import label
from workers.contracts import Chain, Subject

if TYPE_CHECKING:
    from orchestrator.plan import Plan
    from orchestrator.store import Store

OF_A_CHAIN = frozenset({"prune_potential"})
"""Told of the parent, but about all that was pruned from it by one method."""


def reading_rows(plan: Plan, store: Store) -> Iterator[Row]:
    """Yield a row for every committed reading of a plan.

    What is found of the parent and of the separate network alone is the same for every method: it
    is told once, as of method ``dense``. ``against`` is a role, ``against_level`` the level of what
    is compared with, −1 where there is nothing.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    committed = store.index().networks
    told: set[tuple[object, ...]] = set()
    for chain in plan.chains:
        ratios = _ratios(chain, store) if chain.measures else []
        for cell in chain.measures:
            if cell.key in committed:
                blob = store.read(cell.key, "readings.parquet")
                for row in _rows(chain, ratios, cell.label, blob):
                    if row["method"] != DENSE:
                        yield row
                    elif (key := _identity(row)) not in told:
                        told.add(key)
                        yield row


def _ratios(chain: Chain, store: Store) -> list[float]:
    achieved = [
        store.record(level.key)["achieved_ratio"] if store.has(level.key) else level.ratio
        for level in chain.levels
    ]
    return [0.0, *achieved, 0.0]


def _rows(chain: Chain, ratios: list[float], measure: str, blob: bytes) -> Iterator[Row]:
    subjects = chain.subjects
    for reading in pq.read_table(BytesIO(blob)).to_pylist():
        place, against = reading.pop("subject"), reading.pop("against")
        other = subjects[against] if against >= 0 else None
        dense = all(one is None or one.role != "pruned" for one in (subjects[place], other))
        if dense and reading["quantity"] not in OF_A_CHAIN:
            series = {"method": DENSE, "schedule": ""}
        else:
            series = {"method": _method(chain), "schedule": _schedule(chain)}
        yield {
            "network": chain.network,
            "seed": chain.seed,
            **series,
            "level": _level(subjects[place], place),
            "ratio": ratios[place],
            "measure": measure,
            "role": subjects[place].role,
            "against": other.role if other else "",
            "against_level": _level(other, against) if other else -1,
            **reading,
        }


def _level(subject: Subject, place: int) -> int:
    return place if subject.role == "pruned" else 0


def _method(chain: Chain) -> str:
    return label(chain.method) if chain.method else DENSE


def _schedule(chain: Chain) -> str:
    return chain.schedule.label if chain.schedule else ""


def _identity(row: Row) -> tuple[object, ...]:
    keys = ("network", "seed", "measure", "role", "against", "quantity", "part", "at")
    return tuple(str(row[key]) for key in keys)
