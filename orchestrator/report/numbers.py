"""How numbers read: fractions as percentages, errors as percentage points."""

from __future__ import annotations

from math import isfinite

MISSING = "–"
EDGE = 1e-9
"""Numbers that differ by less are equal: a mean of many equal ones is rounded."""


def percent(value: float, decimals: int = 1) -> str:
    """Write a fraction as a percentage without its sign: 0.849 → ``84.9``; a dash when missing."""
    if not isfinite(value):
        return MISSING
    return f"{round(100 * value, decimals) + 0.0:.{decimals}f}"  # + 0.0: no -0.0


def interval(low: float, high: float, decimals: int = 1) -> str:
    """Write an interval of fractions in percent, ``[80.1, 88.0]``; empty when there is none."""
    if not (isfinite(low) and isfinite(high)):
        return ""
    return f"[{percent(low, decimals)}, {percent(high, decimals)}]"


def plain(value: float, decimals: int = 2) -> str:
    """Write a number as it is: 1.128 → ``1.13``; a dash when missing."""
    if not isfinite(value):
        return MISSING
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"


def plain_interval(low: float, high: float, decimals: int = 2) -> str:
    """Write an interval of numbers as they are; empty when there is none."""
    if not (isfinite(low) and isfinite(high)):
        return ""
    return f"[{plain(low, decimals)}, {plain(high, decimals)}]"


def points(value: float) -> str:
    """Write a margin in percentage points, as short as it is exact: 0.005 → ``0.5 points``."""
    return f"{100 * value:.4g} {'point' if value == 0.01 else 'points'}"


def duration(seconds: float) -> str:
    """Write a time in its two largest units: ``3 h 12 min``."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {left} s" if minutes else f"{left} s"


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 task``, ``3 tasks``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
