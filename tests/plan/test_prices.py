"""What tasks and measures cost: by their passes, by their images, by what they took before."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.plan.estimate import Estimate, estimate
from orchestrator.plan.overheads import Overheads
from orchestrator.plan.state import compare
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from workers.contracts import (
    GRADIENT_PASSES,
    Chain,
    Component,
    Cost,
    Measure,
    evaluation_key,
)
from workers.registry import DATA_SETS

Write = Callable[..., Path]
COST = Cost(epoch_seconds=10.0, cell_seconds=1.0, network_bytes=1000, cell_bytes=10, input_bytes=7)
DIGITS = DATA_SETS.create(Component("digits"))
TRAIN, TEST = (DIGITS.count(split, Path()) for split in ("train", "test"))
ONE = {"seeds": [0], "methods": ["wt"], "ratios": [0.5]}


@dataclass(frozen=True, kw_only=True)
class Ten(Measure):
    """Ten passes for every network that is compared."""

    def passes(self, subjects: int) -> float:
        return 10 * subjects


@dataclass(frozen=True, kw_only=True)
class Unpriced(Measure):
    """A measure that does not say what it costs."""


@dataclass(frozen=True, kw_only=True)
class Images(Measure):
    """One pass for every image and network."""

    images: int = 10

    def passes(self, subjects: int) -> float:
        return subjects * self.images


@pytest.fixture(autouse=True)
def own_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_measures")
    module.__dict__.update(Ten=Ten, Unpriced=Unpriced, Images=Images)
    monkeypatch.setitem(sys.modules, "own_measures", module)


def planned(file: Path) -> tuple[Plan, Store]:
    spec = load_sweep(file)
    return make_plan(spec), Store(spec.store)


def judged(
    plan: Plan, store: Store, probe: Callable[[Chain], Cost | None] | None = None
) -> Estimate:
    return estimate(plan, compare(plan, store), store, probe or (lambda chain: COST), workers=1)


def commit(store: Store, plan: Plan, chain: Chain, tasks: int | None = None) -> None:
    for key in chain.networks:
        store.put(key, {"seconds": 6.0, "epochs": 3}, {"weights.safetensors": b"12345678"})
        keys = plan.task_keys[:tasks]
        record = {"seconds": 6.0, "network": key, "tasks": list(keys)}
        store.put(evaluation_key(key, keys), record, {"predictions.parquet": bytes(60)})


def suite_of(*train: Any, other: Any = ()) -> dict[str, Any]:
    return ONE | {"tasks": {"train": list(train), "other": list(other)}}


def test_an_attack_costs_its_gradients(tiny: Write) -> None:
    plan, store = planned(tiny(**suite_of("nominal", {"pgd": {"steps": 5}})))
    found = judged(plan, store)
    assert found.seconds == pytest.approx((2 + 1) * 10 + 2 * (1 + 1 + 5 * GRADIENT_PASSES))
    assert found.bytes == 2 * 1000 + 2 * 2 * 10


def test_images_of_the_training_cost_as_many_as_there_are(tiny: Write) -> None:
    counts: list[Any] = [{"training_images": {"count": count}} for count in (50, 10**6)]
    plan, store = planned(tiny(**suite_of("nominal", other=counts)))
    shares = 1 + 50 / TEST + round(0.9 * TRAIN) / TEST
    found = judged(plan, store)
    assert found.seconds == pytest.approx(3 * 10 + 2 * shares)
    assert found.bytes == int(2 * 1000 + 2 * shares * 10)


def test_other_images_cost_as_many_as_they_are(tiny: Write) -> None:
    # The digits themselves, in another place.
    plan, store = planned(tiny(**suite_of("nominal", other=[{"outliers": {"data": "digits"}}])))
    assert judged(plan, store).seconds == 3 * 10 + 2 * 2


def test_what_was_measured_is_shared_out_by_passes(tiny: Write) -> None:
    plan, store = planned(tiny(**suite_of("nominal", {"fgsm": {"epsilon": 0.1}})))
    commit(store, plan, plan.chains[0])
    found = judged(plan, store)
    # 2 s an epoch; both tasks took 6 s, and take as long again.
    assert found.seconds == pytest.approx(2 + 6)
    assert found.bytes == 8 + 60


def test_of_a_network_that_lacks_a_task_that_task_counts(tiny: Write) -> None:
    plan, store = planned(tiny(**suite_of("nominal", {"fgsm": {"epsilon": 0.1}})))
    for chain in plan.chains:
        commit(store, plan, chain, tasks=1)
    assert judged(plan, store).seconds == pytest.approx(2 * (1 + GRADIENT_PASSES) * 6)


MEASURED: dict[str, Any] = {
    "methods": ["wt"], "ratios": [0.5], "measures": ["own_measures:Ten"], "tasks": {},
}  # fmt: skip


def test_a_measure_costs_its_passes_until_it_was_timed(tiny: Write) -> None:
    plan, store = planned(tiny(**MEASURED))
    alone = (2 * 2 + 2 * 1) * 10 + 4 * 1
    # The parent, one level and the parent of the other seed, for both seeds.
    assert judged(plan, store).seconds == pytest.approx(alone + 2 * 3 * 10 / TEST)
    timed = plan.chains[2]
    (cell,) = timed.measures
    subjects = [subject.key for subject in timed.subjects]
    record = {"kind": "measure", "measure": cell.label, "seconds": 12.0, "subjects": subjects}
    store.put(cell.key, record, {"readings.parquet": b"1"})
    assert judged(plan, store).seconds == pytest.approx(alone + 12)


def test_a_measure_without_a_price_leaves_the_plan_standing(tiny: Write) -> None:
    plan, store = planned(tiny(**MEASURED | {"measures": ["own_measures:Unpriced"]}))
    found = judged(plan, store)
    assert list(found.unknown) == ["resnet8-4-digits"]
    assert found.seconds == 0


@pytest.mark.parametrize("images", [TEST, TEST + 1, 10**6])
def test_a_measure_takes_no_more_images_than_there_are(tiny: Write, images: int) -> None:
    measure = {"own_measures:Images": {"images": images}}
    plan, store = planned(tiny(**MEASURED | {"seeds": [0], "measures": [measure]}))
    # The parent and one level, and two networks to compare: a test set for each, 1 s.
    assert judged(plan, store).seconds == pytest.approx((2 + 1) * 10 + 2 * 1 + 2 * 1)


def test_a_measure_that_two_chains_share_is_priced_once(tiny: Write) -> None:
    """At one ratio, a cascade has the same networks as what is pruned at once."""
    shared = {"seeds": [0], "schedule": ["cascade", "one_shot"]}
    plan, store = planned(tiny(**MEASURED | shared))
    assert len(plan.chains) == 3
    alone = (2 + 1) * 10 + 2 * 1
    assert judged(plan, store).seconds == pytest.approx(alone + 2 * 10 / TEST)


def test_what_does_not_depend_on_sizes_is_added(tiny: Write) -> None:
    plan, store = planned(tiny(**ONE))
    state, fixed = compare(plan, store), Overheads(run=100, chain=20, network=5, cell=0.5)
    cost = replace(COST, start_seconds=7.0)
    work = (2 + 1) * 10 + 2 * 3 * 1
    assert judged(plan, store, lambda chain: cost).seconds == work + 7
    found = estimate(plan, state, store, lambda chain: cost, 1, fixed)
    assert found.seconds == 100 + 7 + work + 2 * 20 + 2 * 5 + 6 * 0.5
    several = estimate(plan, state, store, lambda chain: cost, 50, fixed)
    assert several.seconds == found.seconds  # the pruned chain waits for its parent
    for chain in plan.chains:
        commit(store, plan, chain)
    assert estimate(plan, compare(plan, store), store, lambda chain: cost, 1, fixed).seconds == 0


def test_data_that_would_have_to_be_downloaded_are_not_counted(
    tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = planned(tiny(**suite_of("nominal", other=[{"outliers": {"data": "digits"}}])))
    monkeypatch.setattr(type(DIGITS), "available", lambda *_: False)
    assert "the data of digits are not here yet" in judged(plan, store).unknown["resnet8-4-digits"]
