"""Tests of recall distortion between levels, methods and networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestrator.robustness.alpha_tests import alpha_test_rows
from orchestrator.robustness.columns import typed
from orchestrator.robustness.tables import robustness

SEEDS = 5
ALPHA = np.random.default_rng(0).normal(1, 0.2, (3, 2, 2, SEEDS))
"""By network, method, level and seed."""


def distortion(networks: Sequence[str]) -> pd.DataFrame:
    rows = [
        {"network": network, "method": method, "schedule": "cascade", "level": level, "ratio": 0.5}
        | {"seed": seed, "task": "nominal", "distribution": "train", "balanced": True}
        | {"alpha": ALPHA[i, j, level - 1, seed]}
        for i, network in enumerate(networks)
        for j, method in enumerate(("wt", "ft"))
        for level in (1, 2)
        for seed in range(SEEDS)
    ]
    return typed("recall_distortion", rows)


def table(networks: Sequence[str], by_size: Iterable[Sequence[str]] = ()) -> pd.DataFrame:
    return typed("alpha_tests", alpha_test_rows(distortion(networks), by_size))


def test_levels_and_methods_are_compared_within_a_network() -> None:
    found = table(["large", "small"])
    assert found["claim"].value_counts().to_dict() == {"grows": 4, "differs": 4}
    assert (found["network"] == found["second_network"]).all()
    grows = found[(found["network"] == "small") & (found["claim"] == "grows")].iloc[1]
    assert (grows["first_method"], grows["first_level"], grows["second_level"]) == ("ft", 1, 2)
    oracle = stats.ttest_rel(ALPHA[1, 1, 0], ALPHA[1, 1, 1], alternative="less")
    assert (grows["t"], grows["p"]) == pytest.approx((oracle.statistic, oracle.pvalue))


def test_networks_are_compared_from_the_smallest_on() -> None:
    found = table(["large", "small", "middle"], [["small", "middle", "large"]])
    falls = found[found["claim"] == "falls"]
    assert len(falls) == 2 * 2 * 2
    own = falls[(falls["first_method"] == "ft") & (falls["first_level"] == 2)]
    assert own["network"].tolist() == ["small", "middle"]
    assert own["second_network"].tolist() == ["middle", "large"]
    assert (own["first_method"] == own["second_method"]).all()
    assert (own["first_level"] == own["second_level"]).all()
    for row, (one, other) in zip(own.to_dict("records"), ((1, 2), (2, 0)), strict=True):
        first, second = ALPHA[one, 1, 1], ALPHA[other, 1, 1]
        oracle = stats.ttest_ind(first, second, equal_var=False, alternative="greater")
        assert row["p"] == pytest.approx(oracle.pvalue)
        assert row["adjusted_p"] == pytest.approx(min(1, 2 * oracle.pvalue))


def test_the_store_tells_which_network_is_larger(formula) -> None:
    networks = [
        {
            "name": name,
            "model": {"resnet8": {"width": width}},
            "data": "digits",
            "training": {"epochs": 1},
        }
        for name, width in (("large", 8), ("small", 4))
    ]
    sweep = formula(seeds=[0, 1], networks=networks)
    sweep.parameters = {"large": 20_000, "small": 5_000}

    def uneven(chain, level, task):
        return range(2 + level + chain.seed + 2 * (chain.network == "small"))

    sweep.commit(uneven)
    tests = robustness(sweep.plan, sweep.store).alpha_tests
    falls = tests[tests["claim"] == "falls"]
    assert set(zip(falls["network"], falls["second_network"], strict=True)) == {("small", "large")}
    assert falls["first_level"].tolist() == [1, 2]
