"""Labels in the section ``expect`` that nothing can have."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.spec.expect import ExpectSpec, misnamed


def expect(task: str = "nominal", method: str = "wt") -> ExpectSpec:
    potential: dict[str, Any] = {"task": task, "values": {method: 0.5}, "tolerance": 0.1}
    return ExpectSpec.model_validate({"potential": [potential]})


@pytest.mark.parametrize(
    ("task", "method"),
    [
        ("fog-3", "sipp"),  # registered, and not of the sweep
        ("jpeg-3-imagenet", "ft-l2"),
        ("mine-2", "own-1"),  # of the sweep, and not registered
    ],
)
def test_what_a_plug_in_makes_or_the_sweep_has_is_no_typo(task: str, method: str) -> None:
    assert list(misnamed(expect(task, method), {"wt", "own-1"}, {"nominal", "mine-2"})) == []


def test_all_others_are_found_where_they_are() -> None:
    slope = [{"values": {"wt": 0.1, "ftt-l2": 0.1}, "tolerance": 0.1}]
    whole = expect("nominall", "own-2").model_dump(exclude_unset=True) | {"slope": slope}
    first, second, third = misnamed(ExpectSpec.model_validate(whole), {"own-1"}, {"nominal"})
    assert first == (
        ("potential", 0, "task"),
        "unknown task 'nominall', did you mean 'nominal'?",
    )
    assert second[0] == ("potential", 0, "values", "own-2")
    assert second[1].startswith("unknown method 'own', expected one of ft, pfp, ")
    assert third == (
        ("slope", 0, "values", "ftt-l2"),
        "unknown method 'ftt', did you mean 'ft'?",
    )
