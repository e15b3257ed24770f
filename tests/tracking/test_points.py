"""The metrics of one network in MLflow."""

from __future__ import annotations

from math import nan

from orchestrator.tracking.describe import Network, points


def test_an_accuracy_that_does_not_exist_is_no_metric() -> None:
    record = {"achieved_ratio": 0.5, "created": 7.0}
    network = Network("k", record, {"nominal": 0.75, "outliers-svhn": nan})
    shown = {one.key: (one.value, one.step, one.timestamp) for one in points(network)}
    assert shown == {
        "accuracy/nominal": (0.75, 500, 7000),
        "network/achieved_ratio": (0.5, 500, 7000),
    }
