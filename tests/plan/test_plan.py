from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.spec.loading import load_sweep
from workers.contracts import Chain
from workers.pruning.methods.wt import WeightThresholding

Write = Callable[..., Path]


def planned(file: Path) -> Plan:
    return make_plan(load_sweep(file))


def by_name(plan: Plan) -> dict[str, Chain]:
    return {chain.name: chain for chain in plan.chains}


def keys(plan: Plan) -> set[str]:
    return {key for chain in plan.chains for key in chain.networks}


def test_every_method_prunes_the_same_parent(tiny: Write) -> None:
    plan = planned(tiny())
    assert [chain.name for chain in plan.chains] == [
        "resnet8-4-digits/s0/dense",
        "resnet8-4-digits/s1/dense",
        "resnet8-4-digits/s0/wt/cascade",
        "resnet8-4-digits/s0/ft/cascade",
        "resnet8-4-digits/s1/wt/cascade",
        "resnet8-4-digits/s1/ft/cascade",
    ]
    for chain in plan.chains[2:]:
        assert chain.waits_for is not None
        assert chain.levels[0].base == chain.parent == by_name(plan)[chain.waits_for].parent


def test_a_cascade_goes_on_from_the_previous_level(tiny: Write) -> None:
    first, second = planned(tiny()).chains[2].levels
    assert second.base == first.key


def test_one_shot_starts_from_the_parent_and_shares_its_first_level_with_the_cascade(
    tiny: Write,
) -> None:
    plan = planned(tiny(schedule=["cascade", "one_shot"]))
    cascade = by_name(plan)["resnet8-4-digits/s0/wt/cascade"]
    one_shot = by_name(plan)["resnet8-4-digits/s0/wt/one_shot"]
    assert {level.base for level in one_shot.levels} == {one_shot.parent}
    assert one_shot.levels[0].key == cascade.levels[0].key
    assert one_shot.levels[1].key != cascade.levels[1].key


def test_compress_only_steps_are_part_of_a_cascade_level(tiny: Write) -> None:
    plan = planned(tiny(ratios={"ladder": [0.1, 0.3, 0.5, 0.6], "retrained": 2}))
    assert [(level.steps, level.ratio) for level in plan.chains[2].levels] == [
        ((0.1,), 0.3),
        ((0.5,), 0.6),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"store": "elsewhere"},
        {"name": "other"},
        {"resources": {"cpus": 2, "workers": 1}},
        {"tracking": {"uri": "sqlite:///other.db"}},
        {"analysis": {"deltas": [0.01, 0.02]}},
        {"tasks": {"train": ["nominal"]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_no_network_changes_no_key(tiny: Write, change: dict[str, Any]) -> None:
    assert keys(planned(tiny(**change))) == keys(planned(tiny()))


@pytest.mark.parametrize(
    ("change", "new"),
    [
        ({"seeds": [0, 1, 2]}, 1 + 2 * 2),
        ({"methods": ["wt", "ft", {"ft": {"norm": "l2"}}]}, 2 * 2),
        ({"ratios": [0.3, 0.6, 0.8]}, 2 * 2),
    ],
    ids=["seed", "method", "ratio"],
)
def test_an_extension_keeps_every_key_and_adds_its_own(
    tiny: Write, change: dict[str, Any], new: int
) -> None:
    before, after = keys(planned(tiny())), keys(planned(tiny(**change)))
    assert before < after
    assert len(after - before) == new


def test_a_new_version_of_a_method_makes_its_descendants_new_and_nothing_else(
    tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = planned(tiny())
    monkeypatch.setattr(WeightThresholding, "version", 99)
    after = planned(tiny())
    for old, new in zip(before.chains, after.chains, strict=True):
        if old.method and old.method.name == "wt":
            assert not set(old.networks) & set(new.networks)
        else:
            assert old.networks == new.networks
    assert before.task_keys == after.task_keys
