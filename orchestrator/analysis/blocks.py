"""From the tidy table of cells to arrays: one block per network, method and schedule.

A block has a place for every task of its network, so that what a partial sweep has not measured yet
is NaN rather than absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestrator.analysis.resampling import Floats, resampled_errors, smoothed_parents

Array = NDArray[np.float64]
DENSE = "dense"


@dataclass(frozen=True)
class Block:
    """The cells of one network, method and schedule, beside those of their parents.

    Attributes:
        network: name in the sweep.
        method: label; ``dense`` for the block of the parents alone.
        schedule: empty for ``dense``.
        seeds: of the parents, ascending.
        levels: ascending; the first is 0, the parent.
        tasks: labels, ascending.
        distributions: ``train`` or ``test``, one per task.
        examples: size of the test set, one per task.
        ratios: achieved prune ratios, shape (levels, parents); NaN where not measured.
        errors: shape (tasks, levels, parents), in examples: counts, or for segmentation
            1 − mean IoU times the number of images; NaN where not measured.
        resampled: the same on bootstrap test sets, shape (resamples, tasks, levels, parents).
        smoothed: errors beyond the parent's of parents drawn between and around the measured ones,
            shape (resamples, tasks, levels − 1).
        whole: whether errors are counts.

    """

    network: str
    method: str
    schedule: str
    seeds: NDArray[np.int64]
    levels: NDArray[np.int64]
    tasks: NDArray[np.str_]
    distributions: NDArray[np.str_]
    examples: NDArray[np.int64]
    ratios: Array
    errors: Array
    resampled: Floats
    smoothed: Array
    whole: bool


def blocks(cells: pd.DataFrame, resamples: int, seed: int) -> Iterator[Block]:
    """Yield the blocks of a sweep, sorted by network, method and schedule.

    Args:
        cells: one row per network and task, with the columns that ``analyse`` names.
        resamples: how many bootstrap test sets.
        seed: of the random generator.

    Raises:
        ValueError: two rows stand for the same cell, or one task has test sets of several sizes.

    """
    if cells.empty:
        return
    for network, rows in cells.groupby("network", sort=True):
        dense = rows[rows["method"] == DENSE]
        tasks = _tasks(str(network), rows)
        for (method, schedule), own in rows.groupby(["method", "schedule"], sort=True):
            name = (str(network), str(method), str(schedule))
            both = own if method == DENSE else pd.concat([dense, own])
            yield _block(name, both, tasks, resamples, seed)


def _tasks(network: str, rows: pd.DataFrame) -> pd.DataFrame:
    """List the tasks of a network: label, distribution and number of test examples."""
    listed = rows.assign(examples=rows["correct"].map(len))
    tasks = listed[["task", "distribution", "examples"]].drop_duplicates().sort_values("task")
    twice = tasks.loc[tasks["task"].duplicated(), "task"]
    if len(twice):
        raise ValueError(
            f"{network}: expected one distribution and one test set for each task, "
            f"got several for {', '.join(sorted(set(twice)))}"
        )
    return tasks


def _block(
    name: tuple[str, str, str], rows: pd.DataFrame, tasks: pd.DataFrame, resamples: int, seed: int
) -> Block:
    """Put the cells of one block into arrays."""
    if rows.duplicated(["seed", "level", "task"]).any():
        raise ValueError(
            f"{' '.join(name)}: expected one row per seed, level and task, got several"
        )
    labels = tasks["task"].to_numpy(dtype=np.str_)
    examples = tasks["examples"].to_numpy(dtype=np.int64)
    seeds, parent = np.unique(rows["seed"].to_numpy(dtype=np.int64), return_inverse=True)
    levels = np.union1d([0], rows["level"].to_numpy(dtype=np.int64))
    level = np.searchsorted(levels, rows["level"].to_numpy(dtype=np.int64))
    task = np.searchsorted(labels, rows["task"].to_numpy(dtype=np.str_))

    ratios = np.full((len(levels), len(seeds)), np.nan)
    ratios[level, parent] = rows["achieved_ratio"].to_numpy(dtype=np.float64)
    errors = np.full((len(tasks), len(levels), len(seeds)), np.nan)
    resampled = np.full((resamples, *errors.shape), np.nan, dtype=np.float32)
    correct = [np.asarray(cell) for cell in rows["correct"]]
    whole = all(cell.dtype == np.bool_ for cell in correct)
    for size in np.unique(examples[task]):
        at = np.flatnonzero(examples[task] == size)
        right = np.stack([correct[i] for i in at])
        wrong = ~right if right.dtype == np.bool_ else 1 - right
        places = task[at], level[at], parent[at]
        errors[places] = wrong.sum(axis=1)
        resampled[:, *places] = resampled_errors(wrong, resamples, seed)
    smoothed = smoothed_parents(errors[:, 1:] - errors[:, :1], resamples, seed, whole=whole)
    return Block(
        *name, seeds, levels, labels, tasks["distribution"].to_numpy(dtype=np.str_), examples,
        ratios, errors, resampled, smoothed, whole,
    )  # fmt: skip
