"""The metrics of one network in MLflow."""

from __future__ import annotations

from math import nan

from orchestrator.tracking.network import Network
from orchestrator.tracking.points import Point, points, unpublished


def test_an_accuracy_that_does_not_exist_is_no_metric() -> None:
    record = {"achieved_ratio": 0.5, "created": 7.0}
    network = Network("k", record, {"nominal": 0.75, "outliers-svhn": nan})
    shown = {one.key: (one.value, one.step, one.timestamp) for one in points(network)}
    assert shown == {
        "accuracy/nominal": (0.75, 500, 7000),
        "network/achieved_ratio": (0.5, 500, 7000),
    }


def test_only_sections_with_something_new_are_published() -> None:
    old = [Point("a/x", 1.0, 7, 0), Point("a/x", 2.0, 7, 500), Point("a/b/y", 1.0, 7, 0)]
    new, told = unpublished(old, "")
    assert new == old
    assert unpublished(reversed(old), told) == ([], told)
    more = Point("a/b/z", 1.0, 7, 0)
    new, grown = unpublished([*old, more], told)
    assert new == [old[2], more]
    assert unpublished(old[:2], grown) == ([], grown)
    assert unpublished([Point("a/x", 1.5, 7, 0)], grown)[0] == [Point("a/x", 1.5, 7, 0)]


def test_the_clean_accuracy_and_the_families_come_first() -> None:
    record = {"achieved_ratio": 0.0, "created": 7.0}
    accuracies = {"fog-3": 0.5, "snow-3": 0.75, "nominal": 1.0}
    network = Network("k", record, accuracies, {"metric/nominal/ece": 0.25})
    families = {"weather": ("fog-3", "snow-3"), "noise": ("shot_noise-3", "fog-3")}
    told = [(one.key, one.value) for one in points(network, families, {"measure/m/q": 2.0})]
    assert told[:6] == [
        ("accuracy/nominal", 1.0),
        ("family/weather", 0.625),
        ("accuracy/weather/fog-3", 0.5),
        ("accuracy/weather/snow-3", 0.75),
        ("metric/nominal/ece", 0.25),
        ("measure/m/q", 2.0),
    ]
