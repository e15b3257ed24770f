from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.plan.keys import checkpoint_payload, content_key
from orchestrator.plan.work import epochs_each, made_by
from orchestrator.spec.loading import load_sweep
from workers.contracts import Chain, Checkpoint, Schedule, Training

Write = Callable[..., Path]
NAME = "resnet8-4-digits/s0/wt"
RECIPE = {"epochs": 9, "lr": 0.1, "milestones": [5], "warmup": 2}


def planned(tiny: Write, schedule: Any, **changes: Any) -> Plan:
    network = {
        "name": "resnet8-4-digits",
        "model": {"resnet8": {"width": 4}},
        "data": "digits",
        "training": RECIPE,
        "retraining": {"epochs": 7},
    }
    small: dict[str, Any] = {"networks": [network], "seeds": [0], "methods": ["wt"]}
    return make_plan(load_sweep(tiny(**(small | {"schedule": schedule} | changes))))


def chain_of(plan: Plan, schedule: str) -> Chain:
    return next(chain for chain in plan.chains if chain.name == f"{NAME}/{schedule}")


def checkpoint(parent: str, epoch: int) -> Checkpoint:
    return Checkpoint(key=content_key(checkpoint_payload(parent, epoch)), epoch=epoch)


def test_a_chain_is_named_after_its_schedule_and_knows_it(tiny: Write) -> None:
    schedules = ["one_shot", {"cascade": {"finetune": 0.01}}, {"one_shot": {"rewind": 4}}]
    dense, *pruned = planned(tiny, schedules).chains
    assert dense.schedule is None
    assert {chain.name: chain.schedule for chain in pruned} == {
        f"{NAME}/one_shot": Schedule(order="one_shot"),
        f"{NAME}/cascade-finetune-0.01": Schedule(retraining="finetuning", lr=0.01),
        f"{NAME}/one_shot-rewind-4": Schedule(
            order="one_shot", retraining="weight_rewinding", epoch=4
        ),
    }


def test_the_parent_keeps_every_epoch_that_is_rewound_to_once_and_in_order(tiny: Write) -> None:
    rewinds = [{"cascade": {"rewind": 4}}, {"one_shot": {"rewind": 4}}, {"cascade": {"rewind": 0}}]
    plan = planned(tiny, ["cascade", *rewinds], methods=["wt", "ft"])
    dense, *pruned = plan.chains
    first, fourth = checkpoint(dense.parent, 0), checkpoint(dense.parent, 4)
    assert dense.checkpoints == (first, fourth)
    assert [chain.rewinds_to for chain in pruned] == [None, fourth, fourth, first] * 2
    assert {chain.checkpoints for chain in pruned} == {()}
    assert made_by(dense) == (dense.parent, first.key, fourth.key)
    assert plan.keys == {key for chain in plan.chains for key in chain.networks} | {
        first.key,
        fourth.key,
    }


def test_what_is_not_rewound_needs_no_checkpoint(tiny: Write) -> None:
    plan = planned(tiny, ["cascade", {"cascade": "scratch"}, {"cascade": {"finetune": 0.01}}])
    assert {chain.checkpoints for chain in plan.chains} == {()}
    assert {chain.rewinds_to for chain in plan.chains} == {None}


def test_a_checkpoint_changes_no_key_of_its_parent(tiny: Write) -> None:
    rewound = planned(tiny, {"cascade": {"rewind": 4}}).chains[0]
    plain = planned(tiny, "cascade").chains[0]
    assert rewound.parent == plain.parent
    assert (len(rewound.checkpoints), len(plain.checkpoints)) == (1, 0)


def test_fine_tuning_goes_on_at_a_constant_rate(tiny: Write) -> None:
    plan = planned(tiny, ["cascade", {"cascade": {"finetune": 0.01}}])
    assert chain_of(plan, "cascade").retraining == Training(
        epochs=7, lr=0.1, milestones=(5,), warmup=2
    )
    assert chain_of(plan, "cascade-finetune-0.01").retraining == Training(
        epochs=7, lr=0.01, milestones=(5,), warmup=0, schedule="constant"
    )


def test_only_a_rewound_level_saves_epochs(tiny: Write) -> None:
    plan = planned(tiny, ["cascade", {"cascade": {"rewind": 4}}, {"cascade": "scratch"}])
    assert [epochs_each(chain) for chain in plan.chains] == [9, 7, 7 - 4, 7]


@pytest.mark.parametrize("how", [{"rewind": 4}, {"finetune": 0.01}, "scratch"], ids=str)
def test_first_levels_of_both_orders_are_shared_and_no_others(tiny: Write, how: Any) -> None:
    _, cascade, one_shot, plain = planned(
        tiny, [{"cascade": how}, {"one_shot": how}, "cascade"]
    ).chains
    assert cascade.levels[0] == one_shot.levels[0]
    assert cascade.levels[1].base == cascade.levels[0].key
    assert one_shot.levels[1].base == one_shot.parent
    assert cascade.levels[1].key != one_shot.levels[1].key
    assert not {*cascade.networks, *one_shot.networks} & set(plain.networks)


def test_fine_tuning_at_what_the_recipe_is_already_is_the_same_work(tiny: Write) -> None:
    constant = {"schedule": "constant", "lr": 0.01, "warmup": 0, "epochs": 7}
    plan = planned(tiny, ["cascade", {"cascade": {"finetune": 0.01}}], retraining=constant)
    _, cascade, tuned = plan.chains
    assert cascade.networks == tuned.networks


def test_the_latest_release_shares_no_network_with_the_papers(tiny: Write) -> None:
    recipe = {**RECIPE, "precision": "fp32"}
    paper = planned(tiny, {"cascade": {"rewind": 4}}, training=recipe)
    latest = planned(tiny, {"cascade": {"rewind": 4}}, training=recipe, parity="latest")
    assert {chain.parity for chain in paper.chains} == {"paper"}
    assert {chain.parity for chain in latest.chains} == {"latest"}
    assert [chain.training for chain in paper.chains] == [chain.training for chain in latest.chains]
    assert not paper.keys & latest.keys
    assert paper.task_keys == latest.task_keys
