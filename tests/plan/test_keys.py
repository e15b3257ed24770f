from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan import make_plan
from orchestrator.plan.keys import (
    canonical,
    checkpoint_payload,
    chosen,
    content_key,
    describe,
    level_payload,
    parent_payload,
    task_payload,
)
from orchestrator.spec.loading import load_sweep
from workers.contracts import Method, Schedule, Training, evaluation_key

RECIPE = Training(epochs=20, schedule="cosine")
REWIND = Schedule(retraining="weight_rewinding", epoch=4)
SCRATCH = Schedule(retraining="scratch")
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
        "training": chosen(RECIPE),
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
        parent(training=chosen(Training(epochs=21, schedule="cosine"))),
        parent(seed=1),
    ]
    assert len(set(variants)) == len(variants)


def test_a_level_depends_on_its_base_its_method_and_every_ratio_on_the_way() -> None:
    method = {"name": "wt", "version": 1}
    variants = [
        level_payload("a", method, (0.5,), {}, Schedule()),
        level_payload("b", method, (0.5,), {}, Schedule()),
        level_payload("a", {**method, "version": 2}, (0.5,), {}, Schedule()),
        level_payload("a", method, (0.3, 0.5), {}, Schedule()),
        level_payload("a", method, (0.5,), {"epochs": 1}, Schedule()),
        level_payload("a", method, (0.5,), {}, SCRATCH),
        level_payload("a", method, (0.5,), {}, REWIND),
        level_payload("a", method, (0.5,), {}, replace(REWIND, epoch=0)),
        level_payload("a", method, (0.5,), {}, Schedule(), "latest"),
    ]
    assert len({content_key(payload) for payload in variants}) == len(variants)


def test_of_a_schedule_only_what_retraining_starts_from_is_in_a_level() -> None:
    def payload(schedule: Schedule) -> Mapping[str, object]:
        return level_payload("a", {"name": "wt", "version": 1}, (0.5,), {"epochs": 1}, schedule)

    plain = {
        "kind": "level",
        "procedure": 2,
        "base": "a",
        "method": {"name": "wt", "version": 1},
        "ratios": [0.5],
        "retraining": {"epochs": 1},
    }
    assert payload(Schedule()) == payload(Schedule(order="one_shot")) == plain
    assert payload(Schedule(retraining="finetuning", lr=0.01)) == plain
    assert payload(REWIND) == payload(replace(REWIND, order="one_shot")) == plain | {"rewind": 4}
    assert payload(SCRATCH) == plain | {"scratch": True}


def test_a_checkpoint_is_its_parent_and_its_epoch() -> None:
    assert checkpoint_payload("p", 4) == {
        "kind": "checkpoint",
        "procedure": 1,
        "parent": "p",
        "epoch": 4,
    }


def test_parity_with_the_paper_is_no_part_of_a_key() -> None:
    assert "parity" not in parent_payload({}, {}, "f", {}, 0, "paper")
    assert parent_payload({}, {}, "f", {}, 0, "latest")["parity"] == "latest"
    assert parent(parity="latest") != parent()


def test_a_task_is_described_with_the_data_that_it_brings() -> None:
    task = {"name": "t", "version": 1}
    assert task_payload(task) == {"kind": "task", "procedure": 2, "task": task}
    brought = {"name": "d", "version": 1, "fingerprint": "f"}
    assert task_payload(task, brought) == {**task_payload(task), "data": brought}


def test_an_evaluation_is_identified_by_its_set_of_tasks() -> None:
    assert evaluation_key("n", ["a", "b"]) == evaluation_key("n", ["b", "a"])
    assert evaluation_key("n", ["a", "b"]) != evaluation_key("n", ["a"])


def test_keys_are_those_of_every_release(tiny: Callable[..., Path]) -> None:
    golden = json.loads((Path(__file__).parents[1] / "golden" / "keys.json").read_text())
    for frozen in golden:
        plan = make_plan(load_sweep(tiny(**frozen["changes"])))
        assert {chain.name: list(chain.networks) for chain in plan.chains} == frozen["networks"]
        checkpoints = {one.key: one.epoch for chain in plan.chains for one in chain.checkpoints}
        assert checkpoints == frozen["checkpoints"]
        assert {task.label: task.key for task in plan.tasks} == frozen["tasks"]
