"""What a run counts: all that is missing, once, weighed by forward passes of one image."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.plan.state import compare
from orchestrator.plan.to_do import EPOCH_PASSES, NETWORK_PASSES, USUAL_IMAGES, Work, to_do
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from workers.contracts import GRADIENT_PASSES, Chain, Component, Measure, evaluation_key
from workers.registry import DATA_SETS

Write = Callable[..., Path]
NET = "resnet8-4-digits"
DIGITS = DATA_SETS.create(Component("digits"))
TRAIN, TEST = (DIGITS.count(split, Path()) for split in ("train", "test"))
EPOCH = Work(kind="epochs", network=NET, passes=EPOCH_PASSES * round(0.9 * TRAIN))
NETWORK = Work(kind="networks", network=NET, passes=NETWORK_PASSES)
CELL = Work(kind="cells", network=NET, passes=TEST)


@dataclass(frozen=True, kw_only=True)
class Unpriced(Measure):
    """A measure that does not say what it costs."""


@pytest.fixture(autouse=True)
def own_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_measures")
    module.__dict__.update(Unpriced=Unpriced)
    monkeypatch.setitem(sys.modules, "own_measures", module)


def planned(file: Path) -> tuple[Plan, Store]:
    spec = load_sweep(file)
    return make_plan(spec), Store(spec.store)


def missing(plan: Plan, store: Store) -> Mapping[str, Mapping[Work, int]]:
    return to_do(plan, compare(plan, store), store)


def commit(store: Store, plan: Plan, chain: Chain, tasks: int | None = None) -> None:
    for key in chain.networks:
        store.put(key, {"seconds": 6.0, "epochs": 3}, {"weights.safetensors": b"1"})
        keys = plan.task_keys[:tasks]
        record = {"seconds": 6.0, "network": key, "tasks": list(keys)}
        store.put(evaluation_key(key, keys), record, {"predictions.parquet": b"1"})


def test_a_new_sweep_lacks_everything(tiny: Write) -> None:
    plan, store = planned(tiny(seeds=[0], methods=["wt"]))
    dense, pruned = missing(plan, store).values()
    assert dense == {EPOCH: 2, NETWORK: 1, CELL: 3}
    assert pruned == {EPOCH: 2, NETWORK: 2, CELL: 6}


def test_what_is_committed_is_not_to_be_done(tiny: Write) -> None:
    plan, store = planned(tiny(seeds=[0], methods=["wt"]))
    commit(store, plan, plan.chains[0])
    commit(store, plan, plan.chains[1], tasks=1)
    assert missing(plan, store) == {plan.chains[1].name: {CELL: 4}}


def test_an_attack_weighs_its_gradients(tiny: Write) -> None:
    suite = {"train": ["nominal"], "test": [{"pgd": {"steps": 5}}]}
    plan, store = planned(tiny(seeds=[0], methods=["wt"], ratios=[0.5], tasks=suite))
    for works in missing(plan, store).values():
        (cells,) = (work for work in works if work.kind == "cells")
        assert works[cells] * cells.passes == pytest.approx(TEST * (2 + 5 * GRADIENT_PASSES))


SHARED: dict[str, Any] = {
    "seeds": [0], "methods": ["wt"], "ratios": [0.5], "schedule": ["cascade", "one_shot"],
    "measures": [{"cka": {"images": 100}}],
}  # fmt: skip


def test_what_two_chains_share_counts_for_the_first_alone(tiny: Write) -> None:
    """At its first ratio, a cascade has the same networks as what is pruned at once."""
    plan, store = planned(tiny(**SHARED))
    dense, cascade, one_shot = missing(plan, store).values()
    assert cascade == {
        EPOCH: 1,
        NETWORK: 1,
        CELL: 3,
        Work(kind="measures", network=NET, passes=2 * 100, label="cka-100"): 1,
    }
    assert one_shot == {}
    assert dense == {EPOCH: 2, NETWORK: 1, CELL: 3}


def test_a_measure_that_does_not_say_what_it_costs_weighs_an_evaluation(tiny: Write) -> None:
    plan, store = planned(tiny(**SHARED | {"measures": ["own_measures:Unpriced"]}))
    works = missing(plan, store)[plan.chains[1].name]
    (measure,) = (work for work in works if work.kind == "measures")
    assert measure.passes == 2 * TEST


def test_data_yet_to_be_downloaded_count_as_usual(
    tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = planned(tiny(seeds=[0], methods=["wt"]))
    monkeypatch.setattr(type(DIGITS), "available", lambda *_: False)
    train, test = USUAL_IMAGES
    assert missing(plan, store)[plan.chains[0].name] == {
        Work(kind="epochs", network=NET, passes=EPOCH_PASSES * train): 2,
        NETWORK: 1,
        Work(kind="cells", network=NET, passes=test): 3,
    }
