"""Measures of networks, through a chain with a real store."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from pathlib import Path

import pytest

from orchestrator.store import Store
from tests.workers.test_run import DENSE, WT, key, run
from workers.contracts import Component, MeasureCell, PermanentError, Reading
from workers.evaluation.readings import READINGS, from_parquet

TINY = {
    "svcca": {"images": 200},
    "cka": {"images": 200},
    "jacobian": {"images": 10},
    "latency": {"batch_sizes": (1, 4), "repeats": 2},
    "linear_regions": {"ranks": "mask", "binomial": "rank"},
}
CELLS = {
    name: MeasureCell(key=key(name), label=name, measure=Component(name, options))
    for name, options in TINY.items()
}
GENERAL = tuple(cell for name, cell in CELLS.items() if name != "linear_regions")
LENET = Component("lenet300_100", {"size": 8})


def measured(folder: Path, *cells: MeasureCell, **changes: object) -> dict[str, list[Reading]]:
    """Walk a parent, one filter-pruned level and a separate network, and read what was found."""
    dense = replace(DENSE, **changes)  # type: ignore[arg-type]
    separate = replace(dense, seed=1, parent=key("separate"))
    level = replace(
        WT,
        **changes,  # type: ignore[arg-type]
        method=Component("ft"),
        levels=WT.levels[:1],
        measures=cells,
        separate=separate.parent,
    )
    run(folder, dense, separate, level)
    store = Store(folder)
    return {cell.label: from_parquet(store.read(cell.key, READINGS)) for cell in cells}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Reading]]:
    return measured(tmp_path_factory.mktemp("chain"), *GENERAL)


@pytest.mark.parametrize("name", ["svcca", "cka"])
def test_a_pruned_network_is_more_like_its_parent_than_a_separate_one(readings, name):
    of = {
        pair: [r.value for r in readings[name] if (r.subject, r.against) == pair]
        for pair in ((1, 0), (1, 2), (2, 0))
    }
    assert len(readings[name]) == 3 * 10
    assert all(len(values) == 10 for values in of.values())
    assert all(isfinite(value) for values in of.values() for value in values)
    mean = {pair: sum(values) / 10 for pair, values in of.items()}
    assert mean[1, 0] > mean[2, 0]


def test_jacobians_are_summed_up_for_every_network(readings):
    found = readings["jacobian"]
    assert len(found) == 3 * 6
    assert {r.subject for r in found} == {0, 1, 2}
    assert all(r.value > 0 and r.against == -1 for r in found)


def test_operations_that_are_pruned_are_not_counted_and_time_is_recorded(readings):
    found = readings["latency"]
    macs, nonzero = (
        [r.value for r in found if r.quantity == quantity] for quantity in ("macs", "nonzero_macs")
    )
    assert macs[0] == macs[1] == macs[2] == nonzero[0] == nonzero[2]
    assert 0.3 * macs[0] < nonzero[1] < 0.9 * macs[0]
    assert all(r.value > 0 and r.spread >= 0 for r in found if r.quantity == "seconds")


def test_what_can_be_repeated_gives_the_same_bits(readings, tmp_path):
    cells = [cell for cell in GENERAL if cell.label != "latency"]
    again = measured(tmp_path, *cells)
    assert all(repr(again[cell.label]) == repr(readings[cell.label]) for cell in cells)


def test_regions_are_bounded_for_a_perceptron(tmp_path):
    found = measured(tmp_path, CELLS["linear_regions"], model=LENET)["linear_regions"]
    dense, pruned, separate = (r.value for r in found if r.quantity == "log2_regions")
    assert pruned < dense == separate


def test_regions_of_a_convolutional_network_fail_for_good(tmp_path):
    with pytest.raises(PermanentError, match="found Conv2d 'conv'"):
        measured(tmp_path, CELLS["linear_regions"])
