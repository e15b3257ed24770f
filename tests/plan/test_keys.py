from __future__ import annotations

import json
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan import make_plan
from orchestrator.plan.keys import (
    canonical,
    chosen,
    content_key,
    describe,
    level_payload,
    parent_payload,
)
from orchestrator.spec.loading import load_sweep
from workers.contracts import Method, Training, evaluation_key

RECIPE = Training(epochs=20, schedule="cosine")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(string.ascii_letters, min_size=1), inner, max_size=4)
    ),
)


@dataclass(frozen=True, kw_only=True)
class Sample(Method):
    strength: float = 1.0
    folder: str = field(default="here", metadata={"runtime": True})


def parent(**changes: object) -> str:
    payload = {
        "model": {"name": "m", "version": 1},
        "data": {"name": "d", "version": 1},
        "fingerprint": "f",
        "training": RECIPE,
        "seed": 0,
    } | changes
    return content_key(parent_payload(**payload))  # type: ignore[arg-type]


@given(JSON)
def test_canonical_json_reads_back_as_what_it_was(value: object) -> None:
    assert json.loads(canonical({"value": value})) == {"value": value}


@given(st.dictionaries(st.text(min_size=1), st.integers(), min_size=2))
def test_the_order_of_entries_does_not_matter(payload: dict[str, int]) -> None:
    backwards = dict(reversed(payload.items()))
    assert content_key(backwards) == content_key(payload)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        content_key({"lr": number})


def test_defaults_and_paths_stay_out_of_the_description() -> None:
    assert describe("sample", Sample()) == {"name": "sample", "version": 1}
    assert describe("sample", Sample(folder="there")) == {"name": "sample", "version": 1}
    assert describe("sample", Sample(strength=2.0))["strength"] == 2.0


def test_a_recipe_is_described_by_what_differs_from_the_defaults() -> None:
    assert chosen(RECIPE) == {"epochs": 20, "schedule": "cosine"}


def test_everything_that_changes_a_number_changes_the_key() -> None:
    variants = [
        parent(),
        parent(model={"name": "m", "version": 2}),
        parent(data={"name": "e", "version": 1}),
        parent(fingerprint="g"),
        parent(training=Training(epochs=21, schedule="cosine")),
        parent(seed=1),
    ]
    assert len(set(variants)) == len(variants)


def test_a_level_depends_on_its_base_its_method_and_every_ratio_on_the_way() -> None:
    method = {"name": "wt", "version": 1}
    variants = [
        level_payload("a", method, (0.5,), {}),
        level_payload("b", method, (0.5,), {}),
        level_payload("a", {**method, "version": 2}, (0.5,), {}),
        level_payload("a", method, (0.3, 0.5), {}),
        level_payload("a", method, (0.5,), {"epochs": 1}),
    ]
    assert len({content_key(payload) for payload in variants}) == len(variants)


def test_an_evaluation_is_identified_by_its_set_of_tasks() -> None:
    assert evaluation_key("n", ["a", "b"]) == evaluation_key("n", ["b", "a"])
    assert evaluation_key("n", ["a", "b"]) != evaluation_key("n", ["a"])


def test_keys_are_those_of_every_release(tiny: Callable[..., Path]) -> None:
    golden = json.loads((Path(__file__).parents[1] / "golden" / "keys.json").read_text())
    plan = make_plan(load_sweep(tiny()))
    networks = {chain.name: list(chain.networks) for chain in plan.chains}
    tasks = {task.label: task.key for task in plan.tasks}
    assert {"networks": networks, "tasks": tasks} == golden
