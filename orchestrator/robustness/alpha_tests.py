"""The tests of recall distortion that Good et al. 2022 make, over the networks of a sweep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from orchestrator.metrics.distortion_tests import (
    AlphaTests,
    method_tests,
    network_tests,
    ratio_tests,
)
from orchestrator.robustness.columns import Row


def alpha_test_rows(
    distortion: pd.DataFrame, by_size: Iterable[Sequence[str]] = ()
) -> Iterator[Row]:
    """Yield a row for each pair of levels of a method, of methods at a level, then of networks.

    The seeds are the models. ``claim`` is what is tested: that α ``grows`` from the first level to
    the second, ``differs`` between two methods, or ``falls`` from a network to the next larger one,
    ``second_network``.

    Args:
        distortion: the table ``recall_distortion``.
        by_size: networks of the same data, from the smallest to the largest.

    """
    yield from _between_levels(distortion)
    yield from _between_methods(distortion)
    for networks in by_size:
        yield from _between_networks(distortion, networks)


def _between_levels(distortion: pd.DataFrame) -> Iterator[Row]:
    whole = ["network", "schedule", "task"]
    for names, own in distortion.groupby([*whole, "method"], sort=False):
        table = _alpha(own, "level")
        told: dict[str, object] = dict(zip([*whole, "first_method"], names, strict=True))
        levels = table.index.tolist()
        for (one, other), row in _tested(ratio_tests(table.to_numpy(dtype=np.float64))):
            pair = {"first_level": levels[one], "second_level": levels[other]}
            same = {"second_method": names[-1], "second_network": names[0]}
            yield told | same | {"claim": "grows"} | pair | row


def _between_methods(distortion: pd.DataFrame) -> Iterator[Row]:
    whole = ["network", "schedule", "task"]
    for names, own in distortion.groupby([*whole, "level"], sort=False):
        table = _alpha(own, "method")
        told = dict(zip([*whole, "first_level"], names, strict=True))
        methods = table.index.tolist()
        for (one, other), row in _tested(method_tests(table.to_numpy(dtype=np.float64))):
            pair = {"first_method": methods[one], "second_method": methods[other]}
            same = {"second_level": names[-1], "second_network": names[0]}
            yield told | same | {"claim": "differs"} | pair | row


def _between_networks(distortion: pd.DataFrame, networks: Sequence[str]) -> Iterator[Row]:
    shown = distortion[distortion["network"].isin(networks)]
    for names, own in shown.groupby(["schedule", "task", "method", "level"], sort=False):
        schedule, task, method, level = names
        alphas = {name: rows["alpha"].to_numpy() for name, rows in own.groupby("network")}
        found = [network for network in networks if network in alphas]
        for (one, other), row in _tested(network_tests([alphas[name] for name in found])):
            yield {
                "network": found[one],
                "schedule": schedule,
                "task": task,
                "claim": "falls",
                "first_method": method,
                "first_level": level,
                "second_method": method,
                "second_level": level,
                "second_network": found[other],
                **row,
            }


def _alpha(own: pd.DataFrame, by: str) -> pd.DataFrame:
    return own.pivot(index=by, columns="seed", values="alpha")


def _tested(found: AlphaTests) -> Iterator[tuple[Sequence[int], dict[str, object]]]:
    told = {"t": found.test.t, "freedom": found.test.freedom, "p": found.test.p}
    columns = told | {"adjusted_p": found.adjusted_p}
    for place, pair in enumerate(found.pairs):
        yield pair, {name: float(values[place]) for name, values in columns.items()}
