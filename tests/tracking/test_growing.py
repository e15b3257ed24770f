"""A sweep that gets more tasks: runs that have ended get what is new, and nothing twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from orchestrator.plan import Plan
from orchestrator.tracking import BackgroundTracker, TrackingError
from tests.tracking.memory import (
    TASKS,
    MemoryStore,
    View,
    commit_all,
    dense,
    plan_of,
    publish,
    tracker_of,
)
from workers.contracts import Component, Event, TaskCell

WT = "net/s0/wt/cascade"


def task(label: str, key: str = "") -> TaskCell:
    return TaskCell(key=key or f"{label}-key", label=label, task=Component(label.partition("-")[0]))


def with_tasks(plan: Plan, store: MemoryStore, *tasks: TaskCell) -> Plan:
    """Add tasks to a plan and, to every committed network, their accuracies."""
    for accuracies in store.accuracies.values():
        for place, one in enumerate(tasks, start=1):
            accuracies.setdefault(one.label, 0.1 * place)
    return replace(plan, tasks=(*TASKS, *tasks))


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """List the calls of MLflow's client, and the points that are logged."""
    calls: list[str] = []

    def note(name: str) -> Any:
        original = getattr(MlflowClient, name)

        def call(self: MlflowClient, *args: Any, **named: Any) -> Any:
            calls.append(name)
            calls.extend(f"{one.key} {one.step}" for one in named.get("metrics", ()))
            return original(self, *args, **named)

        return call

    with monkeypatch.context() as patch:
        for name in dir(MlflowClient):
            if not name.startswith("_"):
                patch.setattr(MlflowClient, name, note(name))
        yield calls


@pytest.fixture
def plan(tmp_path: Path, store: MemoryStore, uri: str) -> Plan:
    """Publish a finished sweep of two tasks."""
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    return plan


def test_finished_runs_get_the_curves_of_new_tasks_and_nothing_else(
    plan: Plan, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = View(uri).everything()
    more = with_tasks(plan, store, task("fog-3"))
    with counted(monkeypatch) as calls:
        publish(more, store, uri)
    points = [call for call in calls if " " in call]
    assert sorted(points) == sorted(
        ["accuracy/weather/fog-3 0"] * 2
        + [f"accuracy/weather/fog-3 {step}" for step in (501, 751, 901)]
    )
    assert calls.count("log_artifact") == 1  # the table of tasks
    view = View(uri)
    assert [value for _, value, _ in view.curve(WT, "accuracy/weather/fog-3")] == [0.1] * 4
    after = view.everything()
    assert after.keys() == before.keys()
    for name, told in after.items():
        assert told[:5] == before[name][:5]
        assert before[name][6].items() <= told[6].items()


def test_a_second_publish_only_looks_the_runs_up(
    plan: Plan, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = with_tasks(plan, store, task("fog-3"), task("snow-3"))
    publish(more, store, uri)
    with counted(monkeypatch) as calls:
        publish(more, store, uri)
    assert calls == ["get_experiment_by_name", "search_runs"]


def test_a_live_run_adds_new_tasks_to_finished_runs(
    plan: Plan, store: MemoryStore, uri: str
) -> None:
    runs = {name: run.info.run_id for name, run in View(uri).runs().items()}
    more = replace(plan, tasks=(*TASKS, task("fog-3")))
    background = BackgroundTracker(tracker_of(more, store, uri), print)
    for chain in more.chains:
        background.report(Event(chain=chain.name, kind="start"))
        for key in chain.networks:
            store.accuracies[key]["fog-3"] = 0.25
        background.report(Event(chain=chain.name, kind="finished"))
    assert background.close()
    view = View(uri)
    assert {name: run.info.run_id for name, run in view.runs().items()} == runs
    assert set(view.statuses().values()) == {"FINISHED"}
    assert [value for _, value, _ in view.curve(WT, "accuracy/weather/fog-3")] == [0.25] * 4
    assert len(view.curve(WT, "accuracy/nominal")) == 4


def test_what_an_interruption_left_out_is_added(
    plan: Plan, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = with_tasks(plan, store, task("fog-3"), task("snow-3"))
    log_batch = MlflowClient.log_batch

    def broken(self: MlflowClient, run_id: str, metrics: Any = (), **named: Any) -> Any:
        log_batch(self, run_id, metrics=metrics[:1], **named)
        if metrics:
            raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", broken)
        with pytest.raises(TrackingError, match="power cut"):
            publish(more, store, uri)
    publish(more, store, uri)
    for name in ("fog-3", "snow-3"):
        assert len(View(uri).curve(WT, f"accuracy/weather/{name}")) == 4
    assert View(uri).count() == 3


def test_a_family_is_never_two_means_under_one_name(
    plan: Plan, store: MemoryStore, uri: str
) -> None:
    two = with_tasks(plan, store, task("fog-3"), task("snow-3"))
    three = with_tasks(plan, store, task("fog-3"), task("snow-3"), task("frost-3"))
    for again in (two, two, three, three, two):
        publish(again, store, uri)
    view = View(uri)
    for name, mean in (("weather", 0.15), ("weather v2", 0.2)):
        values = [value for _, value, _ in view.curve(WT, f"family/{name}")]
        assert values == pytest.approx([mean] * 4)
    assert json.loads(view.artifact("tiny", "tasks.json"))["means"] == {
        "weather": ["fog-3", "snow-3"],
        "weather v2": ["fog-3", "frost-3", "snow-3"],
    }


def test_a_network_that_lacks_a_task_of_a_family_has_no_mean(
    plan: Plan, store: MemoryStore, uri: str
) -> None:
    more = with_tasks(plan, store, task("fog-3"), task("snow-3"))
    del store.accuracies["parent-0-wt-0.9"]["snow-3"]
    publish(more, store, uri)
    view = View(uri)
    assert [step for step, _, _ in view.curve(WT, "accuracy/weather/fog-3")] == [0, 501, 751, 901]
    assert [step for step, _, _ in view.curve(WT, "family/weather")] == [0, 501, 751]


def test_the_table_of_tasks_says_what_each_one_is(plan: Plan, store: MemoryStore, uri: str) -> None:
    publish(with_tasks(plan, store, task("fog-3")), store, uri)
    publish(plan, store, uri)  # a task less: its curves stay, and so does its row
    table = json.loads(View(uri).artifact("tiny", "tasks.json"))["tasks"]
    assert table["nominal"] == {
        "key": "nominal-key",
        "family": "clean",
        "task": "nominal",
        "options": {},
    }
    assert {label: row["family"] for label, row in table.items()} == {
        "nominal": "clean",
        "contrast-3": "digital",
        "fog-3": "weather",
    }


def test_a_changed_task_under_an_old_label_gets_runs_of_its_own(
    plan: Plan, store: MemoryStore, uri: str
) -> None:
    publish(with_tasks(plan, store, task("fog-3")), store, uri)
    changed = with_tasks(plan, store, task("fog-3", key="version-2"))
    for accuracies in store.accuracies.values():
        accuracies["fog-3"] = 0.7
    publish(changed, store, uri)
    publish(changed, store, uri)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("tiny").experiment_id
    runs = [run for run in client.search_runs([experiment]) if run.info.run_name == WT]
    shown = {
        run.data.tags["prunesweep.status"]: run.data.metrics["accuracy/weather/fog-3"]
        for run in runs
    }
    assert shown == {"superseded": 0.1, "complete": 0.7}
    assert len({run.data.params["tasks"] for run in runs}) == 2


def test_an_interruption_between_table_and_tag_changes_no_identity(
    plan: Plan, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = replace(plan, tasks=(TASKS[0], task("contrast-3", key="version-2")))

    def broken(*_: Any, **__: Any) -> None:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", broken)
        with pytest.raises(TrackingError, match="power cut"):
            publish(changed, store, uri)
    publish(changed, store, uri)
    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    tables = {run.data.params["tasks"] for run in runs if run.info.run_name == WT}
    assert len(tables) == 2


def test_a_lost_table_of_tasks_begins_another_one(
    tmp_path: Path, plan: Plan, store: MemoryStore, uri: str
) -> None:
    [table] = (tmp_path / "mlflow-artifacts").rglob("tasks.json")
    table.unlink()
    publish(with_tasks(plan, store, task("fog-3")), store, uri)
    client = MlflowClient(uri)
    runs = client.search_runs([client.get_experiment_by_name("tiny").experiment_id])
    told = [(run.info.run_name, run.data.tags["prunesweep.status"]) for run in runs]
    assert sorted(told) == [
        ("net/s0/dense", "complete"),
        ("net/s0/dense", "superseded"),
        (WT, "complete"),
        (WT, "superseded"),
        ("tiny", "complete"),
    ]


def test_a_run_of_another_layout_gets_the_new_curves_beside_its_own(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)
    publish(plan, store, uri)
    view = View(uri)
    run = view.runs()["net/s0/dense"].info.run_id
    view.client.delete_tag(run, "mlflow.prunesweep.points")
    view.client.log_metric(run, "accuracy/contrast-3", 0.8, step=0)
    publish(plan, store, uri)
    metrics = view.runs()["net/s0/dense"].data.metrics
    assert metrics["accuracy/contrast-3"] == metrics["accuracy/digital/contrast-3"] == 0.8
