"""What somebody probably meant who wrote a name that is not there."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

SHOWN = 40


def nearest(name: object, choices: Collection[str]) -> str:
    """Offer the choice closest to ``name``, or the first of them all where none is close."""
    if near := get_close_matches(str(name), choices, n=1):
        return f"did you mean '{near[0]}'?"
    if not choices:
        return "expected none"
    listed = ", ".join(sorted(choices)[:SHOWN])
    return f"expected one of {listed}{', …' if len(choices) > SHOWN else ''}"
