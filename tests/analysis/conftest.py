from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

COLUMNS = [
    "network", "seed", "method", "schedule", "level", "achieved_ratio", "task", "distribution",
    "correct",
]  # fmt: skip
Errors = Mapping[str, Mapping[int, Sequence[int | None]]]


def error_table(errors: Errors, ratios: Sequence[float], examples: int) -> pd.DataFrame:
    """Cells of one network and method from {task: {seed: errors of the parent and of each level}}.

    The task ``nominal`` is of the train distribution; None stands for a cell that is missing.
    """
    rows = []
    for task, seeds in errors.items():
        distribution = "train" if task == "nominal" else "test"
        for seed, counts in seeds.items():
            for level, count in enumerate(counts):
                if count is not None:
                    name = ("wt", "cascade") if level else ("dense", "")
                    ratio = ratios[level - 1] if level else 0.0
                    correct = np.arange(examples) >= count
                    rows.append(("net", seed, *name, level, ratio, task, distribution, correct))
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(scope="session")
def table() -> Callable[[Errors, Sequence[float], int], pd.DataFrame]:
    return error_table
