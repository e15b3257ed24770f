"""Readings of measures as one table: who was measured, against whom, once."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.robustness.tables import robustness
from workers.contracts import Reading

MEASURED = {"measures": [{"noise_similarity": {"images": 4, "draws": 1}}], "methods": ["wt", "ft"]}


def found(chain):
    """The parent, two levels and, where there is a second seed, the separate network."""
    subjects = len(chain.subjects)
    yield Reading(subject=0, quantity="accuracy", value=0.9, at=0.1)
    for place in range(1, subjects):
        value = 1 - place / 10
        yield Reading(
            subject=place, quantity="matching_labels", value=value, at=0.1, against=0, spread=0.01
        )
    yield Reading(subject=1, quantity="confidence", value=0.5, against=2, part="conv1")
    potential = 0.3 if chain.method.name == "wt" else 0.6
    yield Reading(subject=0, quantity="prune_potential", value=potential, at=0.1)


@pytest.fixture
def readings(formula):
    sweep = formula(seeds=[0, 1], **MEASURED)
    sweep.commit()
    sweep.read(found)
    return robustness(sweep.plan, sweep.store).readings


def test_the_parent_and_the_separate_network_are_told_once(readings):
    for role, quantity in (("parent", "accuracy"), ("separate", "matching_labels")):
        rows = readings[(readings["role"] == role) & (readings["quantity"] == quantity)]
        assert rows["seed"].tolist() == [0, 1]
        assert set(rows["method"]) == {"dense"}
        assert set(rows["schedule"]) == {""}


def test_pruned_networks_have_their_level_ratio_and_opponent(readings):
    rows = readings[(readings["quantity"] == "matching_labels") & (readings["role"] == "pruned")]
    assert len(rows) == 2 * 2 * 2
    assert set(zip(rows["level"], rows["ratio"], rows["value"], strict=True)) == {
        (1, 0.3, 0.9),
        (2, 0.6, 0.8),
    }
    assert set(rows["against"]) == {"parent"}
    assert set(rows["at"]) == {0.1}
    pair = readings[readings["quantity"] == "confidence"].iloc[0]
    assert (pair["against"], pair["against_level"], pair["part"]) == ("pruned", 2, "conv1")
    assert np.isnan(pair["at"])


def test_the_potential_of_a_chain_stays_with_its_method(readings):
    rows = readings[readings["quantity"] == "prune_potential"]
    assert set(zip(rows["method"], rows["value"], strict=True)) == {("wt", 0.3), ("ft", 0.6)}


def test_what_is_not_measured_yet_is_left_out(formula):
    sweep = formula(seeds=[0], **MEASURED)
    sweep.commit()
    assert robustness(sweep.plan, sweep.store).readings.empty
