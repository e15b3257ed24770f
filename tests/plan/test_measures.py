"""Measures in a plan: which networks they compare, and what their keys depend on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.plan.state import compare
from orchestrator.spec.loading import SweepError, load_sweep
from orchestrator.store import Store
from workers.contracts import Chain, Measure

Write = Callable[..., Path]


@dataclass(frozen=True, kw_only=True)
class Count(Measure):
    """A measure to plan with."""

    images: int = 10


@pytest.fixture(autouse=True)
def own_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("own_measures")
    module.__dict__["Count"] = Count
    monkeypatch.setitem(sys.modules, "own_measures", module)


def planned(file: Path) -> Plan:
    return make_plan(load_sweep(file))


def chain(plan: Plan, name: str) -> Chain:
    return next(one for one in plan.chains if one.name == f"resnet8-4-digits/{name}")


def measured(tiny: Write, **changes: object) -> Plan:
    return planned(tiny(**{"measures": [{"own_measures:Count": {"images": [5, 10]}}]} | changes))


def test_a_pruned_chain_is_compared_with_the_parent_of_another_seed(tiny: Write) -> None:
    plan = measured(tiny)
    first, last = chain(plan, "s0/wt/cascade"), chain(plan, "s1/wt/cascade")
    dense = [chain(plan, f"s{seed}/dense") for seed in (0, 1)]
    assert first.waits_for == (dense[0].name, dense[1].name)
    assert last.waits_for == (dense[1].name, dense[0].name)
    assert [one.role for one in first.subjects] == ["parent", "pruned", "pruned", "separate"]
    assert [one.ratio for one in first.subjects] == [0.0, 0.3, 0.6, 0.0]
    assert [one.key for one in first.subjects] == [
        dense[0].parent,
        *first.networks,
        dense[1].parent,
    ]
    assert [cell.label for cell in first.measures] == ["Count-5", "Count-10"]
    assert not any(one.measures for one in dense)


def test_a_seed_more_leaves_what_was_measured(tiny: Write) -> None:
    two, three = measured(tiny), measured(tiny, seeds=[0, 1, 2])
    kept = {cell.key for one in two.chains for cell in one.measures}
    assert kept < {cell.key for one in three.chains for cell in one.measures}
    assert chain(three, "s2/wt/cascade").separate == chain(three, "s1/dense").parent


def test_what_needs_classes_is_refused_for_label_maps(tiny: Write, voc_root: Path) -> None:
    network = {"model": "deeplabv3_resnet50", "data": {"voc": {"size": 16}}, "name": "seg"}
    file = tiny(networks=[network | {"training": {"epochs": 1}}], data_root=str(voc_root),
                tasks={"train": ["nominal"]}, measures=["cka", "jacobian"])  # fmt: skip
    misfit = r"measures\[1\]: jacobian does not fit seg: its data have a class per pixel$"
    with pytest.raises(SweepError, match=rf"^{file}:\d+:3: {misfit}"):
        planned(file)


def test_one_seed_has_no_separate_network(tiny: Write) -> None:
    only = chain(measured(tiny, seeds=[0]), "s0/wt/cascade")
    assert only.waits_for == ("resnet8-4-digits/s0/dense",)
    assert [one.role for one in only.subjects] == ["parent", "pruned", "pruned"]


def test_networks_keep_their_keys_and_measures_have_keys_of_all_they_look_at(tiny: Write) -> None:
    plain, plan = planned(tiny()), measured(tiny)
    assert [one.networks for one in plan.chains] == [one.networks for one in plain.chains]
    keys = [cell.key for one in plan.chains for cell in one.measures]
    assert len(set(keys)) == len(keys) == 8
    longer = chain(measured(tiny, ratios=[0.3, 0.6, 0.8]), "s0/wt/cascade")
    other = chain(measured(tiny, seeds=[0, 2]), "s0/wt/cascade")
    mine = chain(plan, "s0/wt/cascade").measures[0].key
    assert mine not in {longer.measures[0].key, other.measures[0].key}
    assert plan.keys >= set(keys)


def test_a_plan_counts_what_is_measured_and_what_is_not(tiny: Write, tmp_path: Path) -> None:
    plan, store = measured(tiny), Store(tmp_path / "store")
    cell = chain(plan, "s0/wt/cascade").measures[1]
    store.put(cell.key, {"kind": "measure"}, {})
    total = compare(plan, store).total
    assert total.of("measures") == (8, 1)
    assert total.missing("measures") == 7


def test_a_measure_that_two_chains_share_is_counted_once(tiny: Write, tmp_path: Path) -> None:
    plan = measured(tiny, ratios=[0.3], schedule=["cascade", "one_shot"])
    keys = [cell.key for one in plan.chains for cell in one.measures]
    assert (len(keys), len(set(keys))) == (16, 8)
    assert compare(plan, Store(tmp_path / "store")).total.of("measures") == (8, 0)


def test_a_measure_is_named_once(tiny: Write) -> None:
    twice = [{"own_measures:Count": {"images": 5}}, {"own_measures:Count": {"images": [4, 5]}}]
    with pytest.raises(SweepError, match=r"measures\[1\]: duplicate measure 'Count-5'"):
        load_sweep(tiny(measures=twice))
