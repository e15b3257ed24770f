"""Whether the data sets of a sweep are there, or will be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestrator.cluster.doctor.finding import Finding
from orchestrator.cluster.doctor.places import writable
from workers.contracts import Component, DataError
from workers.registry import DATA_SETS


def check_data(data: Iterable[Component], root: Path) -> Iterator[Finding]:
    """Look for each data set; nothing is downloaded and no image read."""
    for one in data:
        data_set = DATA_SETS.create(one)
        if data_set.available(root):
            yield Finding("data", "ok", f"{one.name} is here")
            continue
        try:
            data_set.fingerprint(root)  # raises where no run would download it
        except DataError as error:
            yield Finding("data", "fail", f"{one.name} is not at {root}", str(error))
        else:
            yield _downloadable(one.name, root)


def _downloadable(name: str, root: Path) -> Finding:
    if writable(root):
        return Finding("data", "ok", f"{name} will be downloaded to {root}")
    found = f"{name} is not here, and {root} cannot be written"
    advice = "let this user write there, or name another folder: PRUNESWEEP_DATA"
    return Finding("data", "fail", found, advice)
