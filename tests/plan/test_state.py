from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.plan import Plan, make_plan
from orchestrator.plan.estimate import estimate
from orchestrator.plan.naive import naive_epochs
from orchestrator.plan.state import compare
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from orchestrator.store.verify import plan_gc
from workers.contracts import Chain, Cost, evaluation_key

Write = Callable[..., Path]
COST = Cost(epoch_seconds=10.0, cell_seconds=1.0, network_bytes=1000, cell_bytes=10, input_bytes=7)


def planned(file: Path) -> tuple[Plan, Store]:
    spec = load_sweep(file)
    return make_plan(spec), Store(spec.store)


def commit(store: Store, plan: Plan, chain: Chain, tasks: int | None = None) -> None:
    for key in chain.networks:
        store.put(key, {"seconds": 6.0, "epochs": 3}, {"weights.safetensors": b"12345678"})
        keys = plan.task_keys[:tasks]
        record = {"seconds": 6.0, "network": key, "tasks": list(keys)}
        store.put(evaluation_key(key, keys), record, {"predictions.parquet": b"1234"})


def test_an_empty_store_misses_everything_and_stays_unwritten(tiny: Write) -> None:
    plan, store = planned(tiny())
    total = compare(plan, store).total
    assert (total.networks, total.networks_cached) == (2 + 2 * 2 * 2, 0)
    assert (total.cells, total.cells_cached) == (10 * 3, 0)
    assert (total.epochs, total.epochs_cached) == (2 * 2 + 8 * 1, 0)
    assert not Path(store.location).exists()


def test_what_is_committed_is_not_pending(tiny: Write) -> None:
    plan, store = planned(tiny())
    commit(store, plan, plan.chains[0])
    state = compare(plan, store)
    assert state.done == {plan.chains[0].name}
    assert state.pending == plan.chains[1:]
    assert state.total.epochs_cached == 2


def test_a_task_added_later_leaves_only_its_cells_missing(tiny: Write) -> None:
    plan, store = planned(tiny())
    for chain in plan.chains:
        commit(store, plan, chain, tasks=2)
    state = compare(plan, store)
    assert state.pending == plan.chains
    assert state.total.networks_cached == state.total.networks
    assert state.total.cells - state.total.cells_cached == 10


def test_a_shared_network_is_counted_once_and_makes_both_chains_incomplete(tiny: Write) -> None:
    plan, store = planned(tiny(schedule=["cascade", "one_shot"], methods=["wt"], seeds=[0]))
    state = compare(plan, store)
    assert state.total.networks == 1 + 2 + 1
    assert len(state.pending) == 3


REWOUND: dict[str, Any] = {
    "schedule": ["cascade", {"cascade": {"rewind": 1}}, {"cascade": {"rewind": 2}}],
    "methods": ["wt"],
    "seeds": [0],
    "training": {"epochs": 5},
    "retraining": {"epochs": 3},
    "networks": [
        {"model": {"resnet8": {"width": 4}}, "data": "digits"},
    ],
}


def checkpoint(store: Store, chain: Chain, *epochs: int) -> None:
    for one in chain.checkpoints:
        if one.epoch in epochs:
            store.put(one.key, {"epoch": one.epoch}, {"weights.safetensors": b"1234"})


def test_checkpoints_are_no_networks_and_cost_no_epochs_on_the_way(tiny: Write) -> None:
    plan, store = planned(tiny(**REWOUND))
    total = compare(plan, store).total
    assert (total.networks, total.cells) == (1 + 3 * 2, (1 + 3 * 2) * 3)
    # The parent, then two levels each: 3 epochs, the 2 after the first, and the 1 after the second.
    assert (total.epochs, total.epochs_cached) == (5 + 2 * (3 + 2 + 1), 0)


def test_checkpoints_that_a_committed_parent_lacks_are_trained_anew(tiny: Write) -> None:
    plan, store = planned(tiny(**REWOUND))
    dense = plan.chains[0]
    commit(store, plan, dense)
    state = compare(plan, store)
    assert state.pending == plan.chains
    assert state.chains[0].lacking == dense.checkpoints
    assert [one.epoch for one in dense.checkpoints] == [1, 2]
    tally = state.chains[0].tally
    assert (tally.epochs, tally.epochs_cached) == (5 + 1 + 2, 5)
    checkpoint(store, dense, 2)
    tally = compare(plan, store).chains[0].tally
    assert (tally.epochs, tally.epochs_cached) == (5 + 1, 5)
    checkpoint(store, dense, 1)
    state = compare(plan, store)
    assert state.done == {dense.name}
    assert (state.chains[0].tally.epochs, state.chains[0].lacking) == (5, ())


def test_a_checkpoint_without_its_parent_saves_nothing(tiny: Write) -> None:
    plan, store = planned(tiny(**REWOUND))
    checkpoint(store, plan.chains[0], 1, 2)
    tally = compare(plan, store).chains[0].tally
    assert (tally.networks, tally.networks_cached) == (1, 0)
    assert (tally.epochs, tally.epochs_cached) == (5, 0)


def test_checkpoints_take_room_and_their_epochs_time(tiny: Write) -> None:
    plan, store = planned(tiny(**REWOUND))
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=1)
    assert judged.seconds == 17 * 10.0 + 7 * 3 * 1.0
    assert judged.bytes == (7 + 2) * 1000 + 7 * 3 * 10
    for chain in plan.chains:
        commit(store, plan, chain)  # 2 s for each epoch, 8 bytes for each network
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=1)
    assert judged.seconds == (1 + 2) * 2.0
    assert judged.bytes == 2 * 8


def test_a_checkpoint_of_a_parent_is_kept_when_the_rest_is_collected(tiny: Write) -> None:
    plan, store = planned(tiny(**REWOUND))
    checkpoint(store, plan.chains[0], 1, 2)
    first, second = (one.key for one in plan.chains[0].checkpoints)
    assert plan_gc(store, plan.keys) == []
    fewer, _ = planned(tiny(**REWOUND | {"schedule": {"cascade": {"rewind": 2}}}))
    assert [piece.key for piece in plan_gc(store, fewer.keys)] == [first]
    assert second in fewer.keys


def test_a_plain_grid_replays_what_is_left_after_rewinding(tiny: Write) -> None:
    plan, _ = planned(tiny(**REWOUND | {"schedule": {"cascade": {"rewind": 2}}}))
    # E = 5, e = 3 - 2, R = 2: R·E + e·R(R+1)/2 = 13, and the parent.
    assert naive_epochs(plan) == 13 + 5


def test_a_plain_grid_replays_every_cascade(tiny: Write) -> None:
    plan, _ = planned(tiny())
    # E = 2, e = 1, R = 2: a cascade costs R·E + e·R(R+1)/2 = 7, for 4 chains, plus 2 parents of 2.
    assert naive_epochs(plan) == 4 * 7 + 2 * 2


def test_a_plain_grid_of_one_shot_trials_replays_nothing(tiny: Write) -> None:
    plan, _ = planned(tiny(schedule="one_shot"))
    assert naive_epochs(plan) == 4 * (2 * 2 + 2 * 1) + 2 * 2


def test_the_estimate_divides_the_work_among_workers(tiny: Write) -> None:
    plan, store = planned(tiny())
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=2)
    assert judged.seconds == (12 * 10.0 + 30 * 1.0) / 2
    assert judged.bytes == 10 * 1000 + 30 * 10
    assert judged.basis == "probed"


def test_the_estimate_is_never_less_than_a_parent_and_its_longest_chain(tiny: Write) -> None:
    plan, store = planned(tiny())
    parent, chain = 2 * 10.0 + 3 * 1.0, 2 * 1 * 10.0 + 2 * 3 * 1.0
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=100)
    assert judged.seconds == parent + chain
    for trained in plan.chains[:2]:
        commit(store, plan, trained)  # 2 s for each epoch and each cell
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=100)
    assert judged.seconds == 2 * 1 * 2.0 + 2 * 3 * 2.0


def test_the_estimate_prefers_what_was_measured(tiny: Write) -> None:
    plan, store = planned(tiny())
    commit(store, plan, plan.chains[0])
    judged = estimate(plan, compare(plan, store), store, lambda chain: None, workers=1)
    assert judged.basis == "measured"
    assert judged.seconds == 10 * 2.0 + 27 * 2.0


CORRUPTING: dict[str, Any] = {
    "tasks": {
        "train": ["nominal"],
        "test": [{"gaussian_input_noise": {"level": 0.5}}, {"contrast": {"severity": [1, 2, 3]}}],
    },
}


def test_corrupted_images_take_room_once_for_each_task_and_data_set(tiny: Write) -> None:
    """Of five tasks three corrupt; seeds, methods and networks on the same data share them."""
    digits = [
        {"model": {"resnet8": {"width": width}}, "data": "digits", "training": {"epochs": 2}}
        for width in (4, 8)
    ]
    plan, store = planned(tiny(**CORRUPTING, networks=digits))
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=1)
    assert judged.cache_bytes == 3 * 7
    assert judged.bytes == 20 * 1000 + 20 * 5 * 10
    wide = [chain for chain in plan.chains if chain.network == "resnet8-8-digits"]
    assert wide
    elsewhere = [replace(c, fingerprint="other") if c in wide else c for c in plan.chains]
    plan = replace(plan, chains=tuple(elsewhere))
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=1)
    assert judged.cache_bytes == 2 * 3 * 7


def test_only_corruptions_that_nothing_was_tested_on_take_room(tiny: Write) -> None:
    plan, store = planned(tiny(**CORRUPTING))
    commit(store, plan, plan.chains[0], tasks=3)
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=1)
    assert (judged.basis, judged.cache_bytes) == ("measured", 2 * 7)
    commit(store, plan, plan.chains[1])
    judged = estimate(plan, compare(plan, store), store, lambda chain: COST, workers=1)
    assert judged.cache_bytes == 0


def test_without_data_there_is_no_estimate(tiny: Write) -> None:
    plan, store = planned(tiny())
    judged = estimate(plan, compare(plan, store), store, lambda chain: None, workers=1)
    assert judged.unknown == {"resnet8-4-digits": "its data are not here yet; a run downloads them"}


def test_a_network_that_cannot_be_probed_leaves_the_plan_standing(tiny: Write) -> None:
    def fail(chain: Chain) -> Cost:
        raise RuntimeError("shapes do not fit\nat length")

    plan, store = planned(tiny())
    judged = estimate(plan, compare(plan, store), store, fail, workers=1)
    assert judged.unknown == {"resnet8-4-digits": "shapes do not fit"}
    assert judged.seconds == judged.bytes == 0


def test_what_is_complete_is_not_probed(tiny: Write) -> None:
    plan, store = planned(tiny())
    for chain in plan.chains:
        commit(store, plan, chain)
    judged = estimate(plan, compare(plan, store), store, lambda chain: 1 / 0, workers=1)
    assert (judged.seconds, judged.bytes, judged.unknown) == (0, 0, {})
    assert judged.cache_bytes == 0
