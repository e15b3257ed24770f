"""Measures, detection of outliers and attacks on membership as curves of a chain's run."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from orchestrator.execution.assembly import open_tracker
from orchestrator.robustness.tables import robustness
from orchestrator.sweep import Sweep, open_sweep
from orchestrator.tracking.readings import readings_of
from tests.robustness.conftest import TASKS as ROBUSTNESS_TASKS
from tests.robustness.conftest import Formula
from tests.tracking.memory import View, dense, pruned
from workers.contracts import Chain, Component, MeasureCell, Reading
from workers.evaluation.readings import to_parquet

WT = "resnet8-4-digits/s0/wt/cascade"


def measured(**changes: Any) -> Chain:
    cell = MeasureCell(key="m", label="found", measure=Component("cka"))
    chain = pruned(dense(), ratios=(0.5, 0.75))
    return Chain(**{**vars(chain), "measures": (cell,), "separate": "parent-1", **changes})


class Readings:
    """A store that holds what one measure found."""

    def __init__(self, *found: Reading) -> None:
        self.blob = to_parquet(found)

    def has(self, key: str) -> bool:
        return key == "m"

    def read(self, key: str, name: str) -> bytes:
        assert (key, name) == ("m", "readings.parquet")
        return BytesIO(self.blob).getvalue()


def curves(*found: Reading) -> dict[str, dict[str, float]]:
    told = readings_of(measured(), Readings(*found))  # type: ignore[arg-type]
    return {network: dict(values) for network, values in told.items()}


def test_readings_are_told_of_the_network_that_they_are_about() -> None:
    assert curves(
        Reading(subject=0, quantity="macs", value=8.0),
        Reading(subject=2, quantity="macs", value=2.0),
        Reading(subject=1, quantity="match", value=0.5, against=0),
    ) == {
        "parent-0": {"measure/found/macs": 8.0},
        "parent-0-wt-0.75": {"measure/found/macs": 2.0},
        "parent-0-wt-0.5": {"measure/found/match vs parent": 0.5},
    }


def test_other_networks_are_left_out() -> None:
    assert (
        curves(
            Reading(subject=3, quantity="match", value=0.5, against=0),
            Reading(subject=1, quantity="match", value=0.5, against=3),
            Reading(subject=1, quantity="match", value=0.5, against=2),
        )
        == {}
    )


def test_layers_are_averaged() -> None:
    layers = [
        Reading(subject=1, quantity="cka", value=value, part=part, against=0)
        for part, value in (("a", 1.0), ("b", 0.5))
    ]
    expected = {"measure/found/cka mean of layers vs parent": 0.75}
    assert curves(*layers) == {"parent-0-wt-0.5": expected}


def test_of_many_noise_levels_three_are_told() -> None:
    readings = [Reading(subject=0, quantity="x", value=10 * k, at=k / 4) for k in range(5)]
    expected = {"measure/found/x at 0": 0.0, "measure/found/x at 0.5": 20.0,
                "measure/found/x at 1": 40.0}  # fmt: skip
    assert curves(*readings) == {"parent-0": expected}


@pytest.fixture
def formula(tiny: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Formula:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    file = tiny(tasks=ROBUSTNESS_TASKS, methods=["wt"], measures=["jacobian"])
    return Formula(file)


def wrong(chain: Chain, level: int, task: str) -> range:
    return range(level + chain.seed + (task == "nominal"))


def measure(formula: Formula) -> None:
    for chain in formula.plan.chains:
        for cell in chain.measures:
            found = [Reading(subject=k, quantity="jsv_max", value=2.0 + k) for k in range(3)]
            record = {"kind": "measure", "created": 1.7e9, "measure": cell.label}
            formula.store.put(cell.key, record, {"readings.parquet": to_parquet(found)})


def publish(formula: Formula, uri: str) -> Sweep:
    sweep = open_sweep(formula.spec.source)
    open_tracker(sweep, uri).publish()
    return sweep


def values(uri: str, metric: str, name: str = WT) -> list[float]:
    return [value for _, value, _ in View(uri).curve(name, metric)]


def test_curves_are_the_columns_of_the_tables(formula: Formula, uri: str) -> None:
    formula.commit(wrong)
    measure(formula)
    sweep = publish(formula, uri)
    tables = robustness(sweep.plan, sweep.store)
    for table, column, metric in (
        (tables.outliers, "auroc", "detection/outliers-digits/energy AUROC"),
        (tables.outliers, "fpr95", "detection/outliers-digits/max softmax FPR at 95 TPR"),
        (tables.membership, "auroc", "membership/training_images-20/modified entropy AUROC"),
        (tables.membership, "balanced_accuracy",
         "membership/training_images-20/correctness balanced accuracy"),
    ):  # fmt: skip
        by = "score" if "score" in table else "attack"
        own = table[(table["seed"] == 0) & metric.split("/")[2].startswith(tuple(table[by]))]
        own = own[[metric.rpartition("/")[2].startswith(name) for name in own[by]]]
        assert values(uri, metric) == own.sort_values("level")[column].tolist(), metric
        assert len(own) == 3
    assert values(uri, "measure/jacobian/jsv_max") == [2.0, 3.0, 4.0]
    assert View(uri).runs()[WT].data.params["measured.jacobian"] == "2023-11-14T22:13:20.000+00:00"


def test_what_comes_later_is_added_to_finished_runs(formula: Formula, uri: str) -> None:
    first = [chain for chain in formula.plan.chains if chain.seed == 0]
    formula.commit(wrong, first)
    publish(formula, uri)
    metrics = View(uri).runs()[WT].data.metrics
    assert "membership/training_images-20/correctness AUROC" in metrics
    assert not any(name.startswith("membership/training_images-20/entropy") for name in metrics)
    assert not any(name.startswith("measure/") for name in metrics)
    run = View(uri).runs()[WT].info.run_id

    formula.commit(wrong, [chain for chain in formula.plan.chains if chain.seed == 1])
    measure(formula)
    publish(formula, uri)
    before = View(uri).everything()
    publish(formula, uri)
    assert View(uri).everything() == before
    assert View(uri).runs()[WT].info.run_id == run
    assert len(values(uri, "membership/training_images-20/entropy AUROC")) == 3
    assert len(values(uri, "membership/training_images-20/correctness AUROC")) == 3
    assert values(uri, "measure/jacobian/jsv_max") == [2.0, 3.0, 4.0]


def test_a_chain_measured_anew_gets_a_run_of_its_own(formula: Formula, uri: str) -> None:
    formula.commit(wrong)
    measure(formula)
    publish(formula, uri)
    [cell] = next(chain for chain in formula.plan.chains if chain.name == WT).measures
    formula.store.discard(cell.key)
    found = [Reading(subject=k, quantity="jsv_max", value=7.0) for k in range(3)]
    record = {"kind": "measure", "created": 1.8e9, "measure": cell.label}
    formula.store.put(cell.key, record, {"readings.parquet": to_parquet(found)})
    publish(formula, uri)
    client = View(uri).client
    experiment = client.get_experiment_by_name("tiny").experiment_id
    runs = [run for run in client.search_runs([experiment]) if run.info.run_name == WT]
    shown = {
        run.data.tags["prunesweep.status"]: run.data.metrics["measure/jacobian/jsv_max"]
        for run in runs
    }
    assert shown == {"superseded": 4.0, "complete": 7.0}
