from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrator.collect import collect, frame
from orchestrator.plan import Plan, make_plan
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from workers.contracts import Chain, evaluation_key

Write = Callable[..., Path]
PREDICTED = [0, 1, 2, 9]


def planned(file: Path) -> tuple[Plan, Store]:
    spec = load_sweep(file)
    return make_plan(spec), Store(spec.store)


def predictions(tasks: Sequence[str]) -> bytes:
    """Four examples of each task, with the labels 0 to 3, of which three are predicted."""
    columns = {
        "task": pa.array(np.repeat(tasks, 4)).dictionary_encode(),
        "label": pa.array(list(range(4)) * len(tasks), pa.int16()),
        "predicted": pa.array(PREDICTED * len(tasks), pa.int16()),
    }
    sink = BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def commit(store: Store, plan: Plan, chain: Chain, *suites: Sequence[str]) -> None:
    for key in chain.networks:
        store.put(key, {"requested_ratio": 0.3, "achieved_ratio": 0.29}, {"weights": b"1"})
        for tasks in suites or (plan.task_keys,):
            record = {"network": key, "tasks": list(tasks)}
            store.put(
                evaluation_key(key, tasks), record, {"predictions.parquet": predictions(tasks)}
            )


def test_every_committed_cell_is_a_row_in_the_order_of_the_plan(tiny: Write) -> None:
    plan, store = planned(tiny())
    for chain in (plan.chains[2], plan.chains[0]):
        commit(store, plan, chain)
    cells = frame(collect(plan, store))
    assert list(zip(cells["method"], cells["level"], strict=True)) == [
        *[("dense", 0)] * 3,
        *[("wt", 1)] * 3,
        *[("wt", 2)] * 3,
    ]
    assert cells["task"].tolist() == [task.label for task in plan.spec.tasks] * 3
    assert set(cells["accuracy"]) == {0.75}
    for correct in cells["correct"]:
        assert correct.tolist() == [True, True, True, False]


def test_schedules_are_told_apart_by_their_labels(tiny: Write) -> None:
    schedules = ["one_shot", {"cascade": {"rewind": 0}}, {"cascade": "scratch"}]
    plan, store = planned(tiny(schedule=schedules, methods=["wt"], seeds=[0]))
    for chain in plan.chains:
        commit(store, plan, chain)
    cells = frame(collect(plan, store))
    assert cells["schedule"].drop_duplicates().tolist() == [
        "",
        "one_shot",
        "cascade-rewind-0",
        "cascade-scratch",
    ]


def test_evaluations_of_tasks_added_later_are_gathered_too(tiny: Write) -> None:
    plan, store = planned(tiny())
    commit(store, plan, plan.chains[0], plan.task_keys[:1], plan.task_keys[1:])
    assert collect(plan, store).num_rows == 3


def test_an_evaluation_without_its_network_is_no_cell(tiny: Write) -> None:
    plan, store = planned(tiny())
    commit(store, plan, plan.chains[0])
    store.discard(plan.chains[0].parent)
    assert collect(plan, store).num_rows == 0
    assert collect(plan, store, plan.chains).num_rows == 0


def test_images_without_labels_have_no_accuracy(tiny: Write) -> None:
    outliers = [{"outliers": {"data": "digits"}}]
    plan, store = planned(tiny(tasks={"train": ["nominal"], "other": outliers}, seeds=[0]))
    table = pq.read_table(BytesIO(predictions(plan.task_keys)))
    foreign = pa.array([0, 1, 2, 3, -1, -1, -1, -1], pa.int16())
    pq.write_table(table.set_column(1, "label", foreign), sink := BytesIO())
    key = plan.chains[0].parent
    store.put(key, {"requested_ratio": 0.0, "achieved_ratio": 0.0}, {"weights": b"1"})
    record = {"network": key, "tasks": list(plan.task_keys)}
    evaluation = evaluation_key(key, plan.task_keys)
    store.put(evaluation, record, {"predictions.parquet": sink.getvalue()})
    cells = frame(collect(plan, store))
    assert cells["distribution"].tolist() == ["train", "other"]
    assert cells["accuracy"].tolist() == pytest.approx([0.75, np.nan], nan_ok=True)
    assert cells["error"].tolist() == pytest.approx([0.25, np.nan], nan_ok=True)
    assert cells["examples"].tolist() == [4, 4]


def test_nothing_committed_is_an_empty_frame(tiny: Write) -> None:
    plan, store = planned(tiny())
    assert frame(collect(plan, store)).empty


def test_a_whole_sweep_takes_one_listing_and_one_chain_takes_none(
    tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, store = planned(tiny())
    for chain in plan.chains:
        commit(store, plan, chain)
    some = collect(plan, store, plan.chains)
    monkeypatch.setattr(store, "evaluations", lambda network: pytest.fail("a listing too many"))
    assert collect(plan, store) == some
    monkeypatch.undo()
    monkeypatch.setattr(store, "index", lambda: pytest.fail("a listing of the whole store"))
    assert collect(plan, store, plan.chains[:1]).num_rows == 3
