"""Estimates with intervals, what is computed from several, and what they say about a claim."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import hypot, isnan, nan
from typing import Literal

Verdict = Literal["holds", "does not hold", "cannot be told"]
EDGE = 1e-9
"""A limit that is met to rounding is met."""


@dataclass(frozen=True)
class Estimate:
    """A number and the interval around it; NaN limits where nothing is known of its spread."""

    value: float
    low: float = nan
    high: float = nan

    def __sub__(self, other: Estimate) -> Estimate:
        """Subtract, with limits by variance estimates recovery.

        Zou and Donner 2008, "Construction of confidence limits about effect measures": the distance
        from the difference to its lower limit is √((a − a_low)² + (b_high − b)²). It takes both for
        independent. Networks that share parents and test images rise and fall together, so that the
        interval is, if anything, too wide.
        """
        value = self.value - other.value
        low = value - hypot(self.value - self.low, other.high - other.value)
        high = value + hypot(self.high - self.value, other.value - other.low)
        return Estimate(value, low, high)

    def times(self, factor: float) -> Estimate:
        """Multiply by a number that is not negative."""
        return Estimate(factor * self.value, factor * self.low, factor * self.high)

    def above(self, limit: float = 0.0) -> Verdict:
        """Judge whether it is above ``limit``: the whole interval, or the value if there is none.

        An interval with ``limit`` inside cannot tell.
        """
        low, high = self._limits()
        if low > limit + EDGE:
            return "holds"
        return "does not hold" if high <= limit + EDGE else "cannot be told"

    def at_most(self, limit: float) -> Verdict:
        """Judge whether it is at most ``limit``, likewise."""
        opposite: dict[Verdict, Verdict] = {"holds": "does not hold", "does not hold": "holds"}
        above = self.above(limit)
        return opposite.get(above, above)

    def near(self, value: float, tolerance: float) -> Verdict:
        """Judge whether it is ``value`` give or take ``tolerance``.

        It is if the estimate lies within; it is not if the whole interval lies without.
        """
        if abs(self.value - value) <= tolerance + EDGE:
            return "holds"
        low, high = self._limits()
        apart = low > value + tolerance or high < value - tolerance
        return "does not hold" if apart else "cannot be told"

    def _limits(self) -> tuple[float, float]:
        return (self.value, self.value) if isnan(self.low) else (self.low, self.high)

    def __str__(self) -> str:
        """Write it in percent, ``84.9 [80.1, 88.0]``; without limits, say that it has none."""
        value, low, high = (percent(limit) for limit in (self.value, self.low, self.high))
        return f"{value} (point estimate)" if isnan(self.low) else f"{value} [{low}, {high}]"


def average(estimates: Collection[Estimate]) -> Estimate:
    """Average values and limits alike.

    However the estimates depend on each other, the standard error of their mean is at most the mean
    of their standard errors.
    """
    count = len(estimates)
    return Estimate(
        sum(one.value for one in estimates) / count,
        sum(one.low for one in estimates) / count,
        sum(one.high for one in estimates) / count,
    )


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """Judge a claim with several parts: it fails with any of them, and holds with all."""
    found = set(verdicts)
    for verdict in ("does not hold", "cannot be told"):
        if verdict in found:
            return verdict
    return "holds"


def percent(fraction: float) -> str:
    """Write a fraction in percent, without the sign, to one decimal place."""
    return f"{round(100 * fraction, 1) + 0.0:.1f}"  # + 0.0: no -0.0
