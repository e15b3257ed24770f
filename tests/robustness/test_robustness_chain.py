"""The scores of a chain while a sweep runs, and the metrics that they become in MLflow."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.collect import collect, frame
from orchestrator.robustness.chain import scored
from orchestrator.robustness.tables import robustness
from orchestrator.tracking.network import network_of
from orchestrator.tracking.points import points
from workers.contracts import evaluation_key


def errs(chain, level, task):
    return {0: (0, 1), 1: (1, 2), 2: (0, 2, 5, 10, 15)}[level] if task == "nominal" else range(4)


@pytest.fixture
def sweep(formula):
    sweep = formula(seeds=[0])
    sweep.commit(errs)
    return sweep


def cells(sweep, chain):
    return scored(frame(collect(sweep.plan, sweep.store, [chain])), sweep.plan, sweep.store, chain)


def test_scores_are_those_of_the_whole_sweep(sweep):
    whole = robustness(sweep.plan, sweep.store)
    told = cells(sweep, sweep.plan.chains[1])
    assert len(told) == 2 * 6
    told = told[told["task"] == "nominal"].reset_index()
    metrics = whole.metrics[
        (whole.metrics["method"] == "wt") & (whole.metrics["task"] == "nominal")
    ]
    for column in ("nll", "ece", "brier", "worst_recall", "agreement", "wrong_if_parent_right"):
        assert told[column].tolist() == metrics[column].tolist(), column
    assert told["alpha"].tolist() == pytest.approx(whole.recall_distortion["alpha"].tolist())


def test_other_tasks_have_no_scores_and_parents_no_agreement(sweep):
    told = cells(sweep, sweep.plan.chains[0])
    assert told.loc[told["task"] != "nominal", ["ece", "alpha", "agreement"]].isna().all(axis=None)
    clean = told[told["task"] == "nominal"].iloc[0]
    assert clean["ece"] == pytest.approx(0.15, abs=1e-6)
    assert np.isnan(clean["agreement"])
    assert np.isnan(clean["alpha"])


def test_metrics_are_grouped_and_none_is_nan(sweep):
    chain = sweep.plan.chains[1]
    rows = cells(sweep, chain)
    key = chain.networks[0]
    network = network_of(key, sweep.store.record(key), rows[rows["network_key"] == key])
    values = {point.key: point.value for point in points(network)}
    assert values["accuracy/weather/fog-1"] == 0.8
    assert values["metric/nominal/agreement"] == pytest.approx(0.9)
    assert values["metric/nominal/ece"] == pytest.approx(0.15, abs=1e-6)
    assert values["accuracy/nominal"] == 0.9
    assert not any(np.isnan(value) for value in values.values())
    assert not any("outliers-digits" in name for name in values)
    assert sum(name.startswith("metric/") for name in values) == 7


def test_points_do_not_depend_on_when_they_are_made(sweep):
    chain = sweep.plan.chains[1]
    key = chain.networks[1]

    def told():
        rows = cells(sweep, chain)
        record = sweep.store.record(key)
        return list(points(network_of(key, record, rows[rows["network_key"] == key])))

    assert told() == told()


def test_cells_without_scores_still_make_a_network(sweep):
    chain = sweep.plan.chains[0]
    rows = frame(collect(sweep.plan, sweep.store, [chain]))
    network = network_of(chain.parent, sweep.store.record(chain.parent), rows)
    assert network.metrics == {}
    assert network.accuracies["nominal"] == 0.9


def test_a_network_that_is_not_evaluated_yet_adds_nothing(sweep):
    chain = sweep.plan.chains[1]
    sweep.store.discard(evaluation_key(chain.networks[1], sweep.plan.task_keys))
    told = cells(sweep, chain)
    assert set(told["network_key"]) == {chain.networks[0]}
    assert told.loc[told["task"] == "nominal", "agreement"].tolist() == pytest.approx([0.9])


def test_without_its_parent_a_network_has_calibration_but_no_agreement(sweep):
    chain = sweep.plan.chains[1]
    sweep.store.discard(evaluation_key(chain.parent, sweep.plan.task_keys))
    clean = cells(sweep, chain).query("task == 'nominal'")
    assert clean["ece"].notna().all()
    assert clean[["agreement", "alpha"]].isna().all(axis=None)
