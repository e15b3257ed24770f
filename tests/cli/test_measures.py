"""A measure that does not suit a network is refused before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]
MEASURES = ["cka", {"latency": {"repeats": 1}}, "linear_regions"]
WHY = (
    "measures[2]: linear_regions does not fit resnet8-4-digits: the bound on linear regions is for "
    "perceptrons: it needs linear layers alone, each with as many inputs as the one before has "
    "outputs, as in lenet300_100; found Conv2d 'conv'"
)


@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "--no-estimate"], ["run", "--executor", "local"]]
)
def test_it_is_one_line_with_its_place(
    prunesweep: Any, untouched: Any, tiny: Write, words: list[str]
) -> None:
    file, before = tiny(measures=MEASURES), untouched()
    line = 1 + file.read_text().splitlines().index("- linear_regions")
    ended = prunesweep(*words, file)
    assert (ended.code, ended.out, ended.err) == (2, "", f"{file}:{line}:3: {WHY}\n")
    assert untouched() == before


def test_what_is_there_can_still_be_looked_at(prunesweep: Any, tiny: Write) -> None:
    assert prunesweep("status", tiny(measures=MEASURES)).code == 0


def test_a_perceptron_is_planned(prunesweep: Any, tiny: Write) -> None:
    network = {"model": "lenet300_100", "data": "digits", "training": {"epochs": 1}}
    ended = prunesweep("plan", tiny(networks=[network], methods=["wt"], measures=MEASURES))
    assert (ended.code, ended.err) == (0, "")
    assert "measures" in ended.out
