"""Ladders of prune ratios: how they are spaced, and which of their levels are retrained."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from orchestrator.spec.mistakes import Mistake
from orchestrator.spec.model import Rung

DIGITS = 6
"""Ratios are rounded to this many decimals, so that no key hangs on the last bit of a power."""


def linear(start: float, stop: float, count: int) -> tuple[float, ...]:
    """Space ``count`` prune ratios evenly from ``start`` to ``stop``, both included."""
    step = (stop - start) / (count - 1)
    return _rounded([*(start + step * i for i in range(count - 1)), stop])


def geometric(start: float, stop: float, count: int) -> tuple[float, ...]:
    """Space ``count`` prune ratios from ``start`` to ``stop`` evenly in the logarithm of 1 − ratio.

    Every level keeps the same share of what the one before it kept, as in "Lost in Pruning"
    (Liebenwein et al., MLSys 2021).
    """
    keep = (1 - stop) / (1 - start)
    kept = ((1 - start) * keep ** (i / (count - 1)) for i in range(count - 1))
    return _rounded([*(1 - share for share in kept), stop])


def _rounded(ratios: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(ratio, DIGITS) for ratio in ratios)


def rungs(ratios: Sequence[float], retrained: int | None = None) -> tuple[Rung, ...]:
    """Group a ladder into levels.

    Args:
        ratios: all prune ratios, ascending.
        retrained: how many near-equal consecutive groups to make (as ``numpy.array_split`` does):
            the last ratio of each is retrained and evaluated, the others are only pruned to.
            None: every ratio is a level of its own.

    """
    groups = len(ratios) if retrained is None else retrained
    size, larger = divmod(len(ratios), groups)
    ends = list(accumulate((size + (i < larger) for i in range(groups)), initial=0))
    return tuple(
        Rung(ratio=ratios[end - 1], steps=tuple(ratios[start : end - 1]))
        for start, end in pairwise(ends)
    )


def faults(elements: Sequence[Sequence[float]]) -> list[Mistake]:
    """Find the elements (each one or more ratios) that leave (0, 1) or do not ascend."""
    mistakes: list[Mistake] = []
    highest: float | None = None
    for index, ratios in enumerate(elements):
        for ratio in ratios:
            if what := _fault(ratio, highest):
                mistakes.append(((index,), what))
                break
            highest = ratio
    return mistakes


def _fault(ratio: float, highest: float | None) -> str | None:
    if not 0 < ratio < 1:
        return f"expected a prune ratio above 0 and below 1, found {ratio:g}"
    if highest is not None and ratio <= highest:
        return f"expected a ratio above the {highest:g} before it, found {ratio:g}"
    return None
