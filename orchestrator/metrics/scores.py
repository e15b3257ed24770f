"""Metrics that are means over examples, kept example by example for the sake of intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.metrics.arrays import Array, check_examples


@dataclass(frozen=True)
class Score:
    """What one network has by a metric, as a sum of means over independent samples of images.

    Attributes:
        samples: one number per example, each of shape (examples,), by what tells the samples apart.
        size: of how many examples the metric is a share; 0 where it has no value.

    """

    samples: Mapping[str, NDArray[Any]]
    size: int

    @property
    def value(self) -> float:
        """The metric; NaN where there is none."""
        return float(sum(each.mean(dtype=np.float64) for each in self.samples.values()))


def mean_score(each: NDArray[Any]) -> Score:
    """Return the mean over examples.

    Args:
        each: shape (examples,).

    Raises:
        ValueError: there is no example.

    """
    check_examples(each=each)
    return Score({_sample(each): each}, len(each))


def ratio_score(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Score:
    """Return the share of the examples in ``whole`` that are in ``part`` too.

    A ratio r of two means is no mean, but to first order in the weights of the examples it is that
    of r + (part − r · whole) / mean(whole), which is r itself (the infinitesimal jackknife: Jaeckel
    1972). Nothing in ``whole`` leaves no value.

    Args:
        part: shape (examples,), nowhere true where ``whole`` is not.
        whole: likewise.

    Raises:
        ValueError: the shapes differ or there is no example.

    """
    check_examples(part=part, whole=whole)
    size = int(whole.sum())
    if not size:
        return Score({_sample(whole): np.full(len(whole), np.nan)}, 0)
    ratio = int(part.sum()) / size
    each = ratio + (part - ratio * whole) * (len(whole) / size)
    return Score({_sample(whole): each}, size)


class Average:
    """The mean of one metric of one network over tasks, which come one by one."""

    def __init__(self) -> None:
        """Begin without a task."""
        self._totals: dict[str, Array] = {}
        self._sizes: list[int] = []

    def add(self, score: Score) -> None:
        """Add a task; nothing if it has no value."""
        if not score.size:
            return
        self._sizes.append(score.size)
        for name, each in score.samples.items():
            if name in self._totals:
                self._totals[name] += each
            else:
                self._totals[name] = each.astype(np.float64)

    def score(self) -> Score | None:
        """Return the mean, nothing without a task; of the sizes, the smallest stands for all."""
        if not self._sizes:
            return None
        samples = {name: total / len(self._sizes) for name, total in self._totals.items()}
        return Score(samples, min(self._sizes))


def _sample(each: NDArray[Any]) -> str:
    """Name the test set by its size, as in the analysis of errors.

    Tasks on equally many examples mostly show the same images under several conditions. Where they
    do not, their scores are unrelated, and no harm is done.
    """
    return f"{len(each)} examples"
