"""What the measures of a chain found, as values of curves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from math import isnan
from typing import Any

from workers.contracts import Chain, Store, Subject

Readings = Mapping[str, Mapping[str, float]]
"""Values by the content key of the network, then by the name of the curve."""
FILE = "readings.parquet"


def readings_of(chain: Chain, store: Store) -> Readings:
    """Read what is committed about the parent and the levels of ``chain``.

    Comparisons are those with the parent. What is told layer by layer is averaged over the layers,
    and what is a function (of a noise level) is told at its first, middle and last place. The rest
    is in the report.

    Raises:
        DamagedObjectError: an object of the store does not match its checksum.

    """
    import pyarrow.parquet as pq

    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for cell in chain.measures:
        if store.has(cell.key):
            rows = pq.read_table(BytesIO(store.read(cell.key, FILE))).to_pylist()
            for network, name, value in _told(chain.subjects, rows):
                found[network][f"measure/{cell.label}/{name}"].append(value)
    return {
        network: {name: sum(values) / len(values) for name, values in curves.items()}
        for network, curves in found.items()
    }


def _told(
    subjects: Sequence[Subject], rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, str, float]]:
    places = sorted({row["at"] for row in rows if not isnan(row["at"])})
    chosen = {places[index] for index in (0, len(places) // 2, -1)} if places else set()
    for row in rows:
        subject, against = subjects[row["subject"]], row["against"]
        if subject.role == "separate" or (against >= 0 and subjects[against].role != "parent"):
            continue
        if isnan(row["at"]) or row["at"] in chosen:
            yield subject.key, _name(row), row["value"]


def _name(row: Mapping[str, Any]) -> str:
    name = str(row["quantity"])
    if row["part"]:
        name += " mean of layers"
    if not isnan(row["at"]):
        name += f" at {row['at']:g}"
    return name if row["against"] < 0 else f"{name} vs parent"
