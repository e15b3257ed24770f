"""A look that takes long is repeated seldom."""

from __future__ import annotations

from orchestrator.tracking.seldom import Seldom


class Sweep:
    """Grows by one with each look, which takes two seconds."""

    def __init__(self) -> None:
        self.time, self.looks = 100.0, 0

    def look(self) -> str:
        self.time += 2.0
        self.looks += 1
        return f"look {self.looks}"


def test_a_look_of_two_seconds_is_repeated_after_forty() -> None:
    sweep = Sweep()
    seldom = Seldom(sweep.look, lambda: sweep.time)
    assert seldom(at_once=False) == "look 1"
    sweep.time += 39.9
    assert seldom(at_once=False) == "look 1"
    sweep.time += 0.1
    assert seldom(at_once=False) == "look 2"


def test_at_the_end_it_is_looked_at_once() -> None:
    sweep = Sweep()
    seldom = Seldom(sweep.look, lambda: sweep.time)
    assert seldom(at_once=True) == "look 1"
    assert seldom(at_once=True) == "look 2"
    assert seldom(at_once=False) == "look 2"
