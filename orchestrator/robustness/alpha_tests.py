"""The tests of recall distortion that Good et al. 2022 make, over the networks of a sweep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from orchestrator.metrics.distortion_tests import AlphaTests, method_tests, ratio_tests
from orchestrator.robustness.columns import Row


def alpha_test_rows(distortion: pd.DataFrame) -> Iterator[Row]:
    """Yield a row for each pair of levels of a method, then of methods at a level.

    The seeds are the models. ``claim`` is what is tested: that α ``grows`` from the first level to
    the second, or ``differs`` between two methods.

    Args:
        distortion: the table ``recall_distortion``.

    """
    whole = ["network", "schedule", "task"]
    for names, own in distortion.groupby([*whole, "method"], sort=False):
        table = _alpha(own, "level")
        told: dict[str, object] = dict(zip([*whole, "first_method"], names, strict=True))
        levels = table.index.tolist()
        for (one, other), row in _tested(ratio_tests(table.to_numpy(dtype=np.float64))):
            pair = {"first_level": levels[one], "second_level": levels[other]}
            yield told | {"second_method": names[-1], "claim": "grows"} | pair | row
    for names, own in distortion.groupby([*whole, "level"], sort=False):
        table = _alpha(own, "method")
        told = dict(zip([*whole, "first_level"], names, strict=True))
        methods = table.index.tolist()
        for (one, other), row in _tested(method_tests(table.to_numpy(dtype=np.float64))):
            pair = {"first_method": methods[one], "second_method": methods[other]}
            yield told | {"second_level": names[-1], "claim": "differs"} | pair | row


def _alpha(own: pd.DataFrame, by: str) -> pd.DataFrame:
    return own.pivot(index=by, columns="seed", values="alpha")


def _tested(found: AlphaTests) -> Iterator[tuple[Sequence[int], dict[str, object]]]:
    told = {"t": found.test.t, "freedom": found.test.freedom, "p": found.test.p}
    columns = told | {"adjusted_p": found.adjusted_p}
    for place, pair in enumerate(found.pairs):
        yield pair, {name: float(values[place]) for name, values in columns.items()}
