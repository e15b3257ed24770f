from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient
from sqlalchemy.exc import OperationalError

from orchestrator.tracking import BackgroundTracker, Progress, Tracker, TrackingError, resolve_uri
from orchestrator.tracking.location import artifact_root, display
from orchestrator.tracking.ui import command, free_port, serving
from tests.tracking.memory import (
    RATIOS,
    TASKS,
    MemoryStore,
    View,
    commit_all,
    dense,
    plan_of,
    pruned,
    publish,
    tracker_of,
)
from workers.contracts import Chain, Event, Training


def test_a_chains_run_is_its_prune_curve(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    view = View(uri)
    expected = [
        (round(1000 * (r + 0.001 * bool(r))), 0.9 - r / 10, 1_700_000_000_000 + 100_000 * i)
        for i, r in enumerate((0.0, *RATIOS))
    ]
    assert view.curve("net/s0/wt/cascade", "accuracy/nominal") == expected
    assert view.curve("net/s0/dense", "accuracy/nominal") == expected[:1]
    losses = [(step, value) for step, value, _ in view.curve("net/s0/wt/cascade", "training/loss")]
    assert losses == [(0, 1.5), (501, 2.0), (751, 2.25), (901, 2.4)]


def test_chains_are_nested_in_the_sweep_and_say_what_they_are(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    runs = View(uri).runs()
    assert set(runs) == {"tiny", "net/s0/dense", "net/s0/wt/cascade"}
    chain, sweep = runs["net/s0/wt/cascade"], runs["tiny"]
    assert chain.data.tags["mlflow.parentRunId"] == sweep.info.run_id
    assert "mlflow.parentRunId" not in sweep.data.tags
    wanted = {
        "sweep": "tiny",
        "network": "net",
        "model": "resnet8",
        "model.width": "4",
        "method": "wt",
        "schedule": "cascade",
        "parity": "paper",
        "seed": "0",
        "retraining.epochs": "1",
        "key.0.5": "parent-0-wt-0.5",
    }
    assert wanted.items() <= chain.data.params.items()
    assert not any(name.startswith("task.") for name in chain.data.params)
    tags = chain.data.tags
    assert tags["prunesweep.key"] == "parent-0-wt-0.9"
    assert tags["environment.device"] == "cpu (x86_64)"
    assert tags["mlflow.source.git.commit"] == "abc123"
    assert tags["prunesweep.status"] == "complete"
    assert "prunesweep.cause" not in tags


def test_publishing_again_changes_nothing(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    tracker = tracker_of(plan, store, uri)
    tracker.publish()
    before = View(uri).everything()
    tracker.publish()
    publish(plan, store, uri)
    assert View(uri).everything() == before


def test_an_empty_sweep_has_a_run_and_no_chains(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    publish(plan_of(tmp_path), store, uri)
    assert View(uri).statuses() == {"tiny": "KILLED"}


def test_a_partial_chain_is_completed_in_the_same_run(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    store.commit_chain(plan.chains[0])
    store.commit_chain(plan.chains[1], levels=1)
    store.commit(plan.chains[1].networks[1], 0.75, 1_700_000_200.0, evaluated=False)
    name = plan.chains[1].name
    publish(plan, store, uri, Progress(running=frozenset({name})))
    view = View(uri)
    assert view.statuses() == {"tiny": "RUNNING", "net/s0/dense": "FINISHED", name: "RUNNING"}
    assert [step for step, _, _ in view.curve(name, "accuracy/nominal")] == [0, 501]
    assert [step for step, _, _ in view.curve(name, "training/loss")] == [0, 501, 751]
    partial = view.runs()[name].info.run_id

    store.commit_chain(plan.chains[1])
    publish(plan, store, uri)
    assert view.runs()[name].info.run_id == partial
    assert set(view.statuses().values()) == {"FINISHED"}
    assert [step for step, _, _ in view.curve(name, "accuracy/nominal")] == [0, 501, 751, 901]
    assert [step for step, _, _ in view.curve(name, "training/loss")] == [0, 501, 751, 901]


def test_what_a_killed_driver_left_running_is_repaired(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    store.commit_chain(plan.chains[0])
    names = frozenset(chain.name for chain in plan.chains)
    publish(plan, store, uri, Progress(running=names))
    assert View(uri).statuses()["net/s0/wt/cascade"] == "RUNNING"
    publish(plan, store, uri)
    assert View(uri).statuses() == {
        "tiny": "KILLED",
        "net/s0/dense": "FINISHED",
        "net/s0/wt/cascade": "KILLED",
    }
    assert View(uri).runs()["tiny"].data.tags["prunesweep.progress"] == "1 of 2 chains complete"


def test_a_failure_is_shown_with_its_cause_until_the_chain_is_complete(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    store.commit_chain(plan.chains[0])
    store.commit_chain(plan.chains[1], levels=1)
    name = plan.chains[1].name
    publish(plan, store, uri, Progress(failed={name: "the loss is not finite"}, ended=True))
    publish(plan, store, uri)  # knows nothing of the failure, and does not hide it
    view = View(uri)
    assert view.statuses() == {"tiny": "FAILED", "net/s0/dense": "FINISHED", name: "FAILED"}
    assert view.runs()[name].data.tags["prunesweep.cause"] == "the loss is not finite"
    assert view.runs()["tiny"].data.tags["prunesweep.cause"] == "1 of 2 chains failed"

    commit_all(plan, store)
    publish(plan, store, uri)
    assert set(view.statuses().values()) == {"FINISHED"}
    assert "prunesweep.cause" not in view.runs()[name].data.tags
    assert "prunesweep.cause" not in view.runs()["tiny"].data.tags


def test_a_longer_ladder_extends_the_run(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    short = plan_of(tmp_path, dense(), pruned(dense(), ratios=(0.5, 0.75)))
    commit_all(short, store)
    publish(short, store, uri)
    before = View(uri).runs()["net/s0/wt/cascade"]
    longer = plan_of(tmp_path)
    commit_all(longer, store)
    publish(longer, store, uri)
    after = View(uri).runs()["net/s0/wt/cascade"]
    assert after.info.run_id == before.info.run_id
    assert after.data.tags["prunesweep.key"] == "parent-0-wt-0.9"
    assert len(View(uri).curve("net/s0/wt/cascade", "accuracy/nominal")) == 4


def test_another_recipe_gets_a_run_of_its_own_and_marks_the_old_one(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    name = plan.chains[1].name
    old = View(uri).runs()[name].info.run_id

    changed = replace(plan.chains[1], retraining=Training(epochs=7))
    publish(plan_of(tmp_path, plan.chains[0], changed), store, uri)
    publish(plan_of(tmp_path, plan.chains[0], changed), store, uri)
    client = View(uri).client
    experiment = client.get_experiment_by_name("tiny").experiment_id
    runs = [run for run in client.search_runs([experiment]) if run.info.run_name == name]
    assert len(runs) == 2
    statuses = {
        run.data.params["retraining.epochs"]: run.data.tags["prunesweep.status"] for run in runs
    }
    assert statuses == {"1": "superseded", "7": "complete"}
    assert client.get_run(old).data.tags["prunesweep.status"] == "superseded"


def test_a_network_made_anew_never_mixes_with_the_old_one(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)
    publish(plan, store, uri)
    store.commit("parent-0", 0.0, 1_800_000_000.0)
    publish(plan, store, uri)
    client = View(uri).client
    experiment = client.get_experiment_by_name("tiny").experiment_id
    for run in client.search_runs([experiment]):
        for metric in run.data.metrics:
            assert len(client.get_metric_history(run.info.run_id, metric)) == 1


def test_twins_left_by_a_race_are_reduced_to_the_oldest(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    view = View(uri)
    before = view.everything()
    for run in view.runs().values():
        view.client.create_run(
            run.info.experiment_id,
            start_time=run.info.start_time + 1,
            run_name=run.info.run_name,
            tags=run.data.tags,
        )
    assert view.count() == 6
    publish(plan, store, uri)
    assert view.everything() == before


def test_a_run_deleted_by_hand_is_made_again(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    tracker = tracker_of(plan, store, uri)
    tracker.publish()
    view = View(uri)
    before = view.curve("net/s0/wt/cascade", "accuracy/nominal")
    view.client.delete_run(view.runs()["tiny"].info.run_id)
    view.client.delete_run(view.runs()["net/s0/wt/cascade"].info.run_id)
    publish(plan, store, uri)
    assert view.curve("net/s0/wt/cascade", "accuracy/nominal") == before
    sweep = view.runs()["tiny"].info.run_id
    chains = [run for name, run in view.runs().items() if name != "tiny"]
    assert [run.data.tags["mlflow.parentRunId"] for run in chains] == [sweep, sweep]


def test_a_deleted_experiment_is_restored(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)
    publish(plan, store, uri)
    client = View(uri).client
    client.delete_experiment(client.get_experiment_by_name("tiny").experiment_id)
    publish(plan, store, uri)
    assert "net/s0/dense" in View(uri).runs()


def test_two_sweeps_share_an_experiment(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    names = ("one", 'it\'s "two"')
    for name in names:
        plan = plan_of(tmp_path, dense(), name=name, experiment="shared")
        commit_all(plan, store)
        publish(plan, store, uri)
        publish(plan, store, uri)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("shared").experiment_id
    runs = client.search_runs([experiment])
    assert sorted(run.info.run_name for run in runs) == sorted([*names, *["net/s0/dense"] * 2])
    sweeps = {run.info.run_id for run in runs if run.info.run_name in names}
    parents = {run.data.tags.get("mlflow.parentRunId") for run in runs} - {None}
    assert parents == sweeps


def test_networks_can_be_loaded_from_the_artifacts(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    commit_all(plan, store)
    publish(plan, store, uri)
    view = View(uri)
    for level in plan.chains[1].levels:
        folder = f"networks/{level.ratio:g}"
        weights = view.artifact("net/s0/wt/cascade", f"{folder}/weights.safetensors")
        assert weights == store.read(level.key, "weights.safetensors")
        card = json.loads(view.artifact("net/s0/wt/cascade", f"{folder}/network.json"))
        assert card["key"] == level.key
        assert card["network"] == store.record(level.key)["network"]
        assert card["requested_ratio"] == level.ratio
        assert card["achieved_ratio"] == level.ratio + 0.001
    assert view.artifact("tiny", "sweep.yaml") == b"name: tiny\n"
    assert (tmp_path / "mlflow-artifacts").is_dir()


def test_an_interrupted_upload_is_finished(
    tmp_path: Path, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)

    def break_off(*_: Any) -> bytes:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(store, "read", break_off)
        with pytest.raises(TrackingError, match="no space left"):
            publish(plan, store, uri)
    publish(plan, store, uri)
    weights = View(uri).artifact("net/s0/dense", "networks/0/weights.safetensors")
    assert weights == b"weights of parent-0"
    assert View(uri).statuses()["net/s0/dense"] == "FINISHED"


def test_the_report_is_attached_over_the_older_one(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)
    tracker = tracker_of(plan, store, uri)
    folder = tmp_path / "reports"
    (folder / "figures").mkdir(parents=True)
    for content in (b"first", b"second"):
        (folder / "report.html").write_bytes(content)
        (folder / "figures" / "curves.svg").write_bytes(content)
        tracker.log_report(folder)
    assert View(uri).artifact("tiny", "report/report.html") == b"second"
    assert View(uri).artifact("tiny", "report/figures/curves.svg") == b"second"


def test_the_answers_are_metrics_of_the_sweep_and_logged_once(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)
    folder = tmp_path / "reports"
    folder.mkdir()
    answers = {"potential/wt.train": 0.85, "excess_slope/wt": float("nan")}
    tracker = tracker_of(plan, store, uri)
    for again in (tracker, tracker, tracker_of(plan, store, uri)):
        again.log_report(folder, answers)
    view = View(uri)
    assert [value for _, value, _ in view.curve("tiny", "potential/wt.train")] == [0.85]
    assert len(view.curve("tiny", "excess_slope/wt")) == 1


def test_the_newest_answer_is_shown_even_if_it_is_smaller(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path, dense())
    folder = tmp_path / "reports"
    folder.mkdir()
    tracker = tracker_of(plan, store, uri)
    for value in (0.85, 0.5, 0.7):
        tracker.log_report(folder, {"potential/wt.train": value})
        assert View(uri).runs()["tiny"].data.metrics == {"potential/wt.train": value}


def test_a_task_label_with_odd_characters_is_a_metric(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path, dense())
    commit_all(plan, store)
    store.accuracies["parent-0"]["noise(0.1)+=x"] = 0.5
    plan = replace(plan, tasks=(*TASKS, replace(TASKS[0], label="noise(0.1)+=x")))
    publish(plan, store, uri)
    assert (
        View(uri).runs()["net/s0/dense"].data.metrics["accuracy/other shift/noise_0.1___x"] == 0.5
    )


def test_nothing_is_read_or_logged_twice(
    tmp_path: Path, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tmp_path)
    read: list[str] = []
    logged: list[str] = []

    def cells_of(chain: Chain) -> pd.DataFrame:
        read.extend(chain.networks)
        return store.cells_of(chain)

    log_batch = MlflowClient.log_batch

    def count(self: MlflowClient, run_id: str, metrics: Any = (), **more: Any) -> Any:
        logged.extend(f"{metric.key} {metric.step}" for metric in metrics)
        return log_batch(self, run_id, metrics=metrics, **more)

    monkeypatch.setattr(MlflowClient, "log_batch", count)
    tracker = Tracker(plan, store, uri, cells_of)  # type: ignore[arg-type]
    store.commit_chain(plan.chains[0])
    tracker.publish()
    running = Progress(running=frozenset({plan.chains[1].name}))
    for level in range(1, len(RATIOS) + 1):
        store.commit_chain(plan.chains[1], level)
        tracker.publish([plan.chains[1]], running)
    assert read == [key for chain in plan.chains for key in chain.networks]
    points = [entry for entry in logged if entry.startswith("accuracy/nominal")]
    steps = (0, 0, 501, 751, 901)  # the parent is a point of its own run and of the other's
    assert points == [f"accuracy/nominal {step}" for step in steps]


def test_a_database_that_cannot_be_opened_fails_at_once(tmp_path: Path, store: MemoryStore) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "other.db").write_text("not a database, and long enough to be read as one" * 10)
    for place, cause in (("file/mlflow.db", "File exists"), ("other.db", "not a database")):
        begun = time.monotonic()
        with pytest.raises(TrackingError, match=cause):
            publish(plan_of(tmp_path), store, f"sqlite:///{tmp_path / place}")
        assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("problem", "cause"),
    [
        (ModuleNotFoundError("No module named 'psycopg2'"), "No module named 'psycopg2'"),
        (OperationalError("SELECT 1", {}, OSError("refused")), "refused"),
    ],
)
def test_a_database_without_a_driver_or_a_server_is_one_short_error(
    tmp_path: Path,
    store: MemoryStore,
    uri: str,
    monkeypatch: pytest.MonkeyPatch,
    problem: Exception,
    cause: str,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise problem

    monkeypatch.setattr(MlflowClient, "search_runs", refuse)
    with pytest.raises(TrackingError, match=cause) as caught:
        publish(plan_of(tmp_path), store, uri)
    assert "\n" not in str(caught.value)


def test_a_new_database_is_made_without_noise(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'a new folder' / 'mlflow.db'}"
    program = (
        "import sys; from pathlib import Path; from tests.tracking.memory import *;"
        "publish(plan_of(Path(sys.argv[1]), dense()), MemoryStore(), sys.argv[2])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), uri],
        env={"PYTHONPATH": str(Path.cwd()), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert View(uri).statuses() == {"tiny": "KILLED"}


def test_the_nearest_tracking_uri_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    plain = plan_of(tmp_path).spec
    named = plan_of(tmp_path, uri="http://file:1").spec
    assert resolve_uri(None, plain) == f"sqlite:///{tmp_path}/store/mlflow.db"
    assert resolve_uri(None, named) == "http://file:1"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://environment:1")
    assert resolve_uri(None, named) == "http://environment:1"
    assert resolve_uri("http://flag:1", named) == "http://flag:1"
    assert resolve_uri("sqlite:///m.db", named) == f"sqlite:///{tmp_path}/m.db"
    with pytest.raises(TrackingError, match="'mlruns' is a folder; expected http"):
        resolve_uri("mlruns", named)
    with pytest.raises(TrackingError, match=r"^tracking URI 'http://\[mlflow' is no URI: Invalid"):
        resolve_uri("http://ann:secret@[mlflow", named)


def test_a_remote_store_keeps_its_database_beside_the_sweep_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    spec = plan_of(tmp_path).spec.model_copy(update={"store": "s3://bucket/store"})
    uri = resolve_uri(None, spec)
    assert uri == f"sqlite:///{tmp_path}/mlflow.db"
    assert artifact_root(uri, spec) == f"{tmp_path}/mlflow-artifacts"
    assert artifact_root("http://server:5000", spec) is None
    assert artifact_root("postgresql://db/mlflow", spec) == "s3://bucket/store/mlflow-artifacts"


def test_passwords_are_not_shown() -> None:
    assert display("postgresql://me:secret@db:5432/mlflow") == "postgresql://db:5432/mlflow"
    assert display("sqlite:////a b/mlflow.db") == "sqlite:////a b/mlflow.db"


def test_a_dead_server_is_one_short_error(
    tmp_path: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    port = free_port("127.0.0.1", 18000)
    with pytest.raises(TrackingError) as caught:
        publish(plan_of(tmp_path), store, f"http://me:secret@127.0.0.1:{port}")
    assert str(caught.value) == f"cannot write to MLflow at http://127.0.0.1:{port}: no answer"


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_live_sweep_is_published_as_it_goes(tmp_path: Path, store: MemoryStore, uri: str) -> None:
    plan = plan_of(tmp_path, dense(), pruned(dense()), pruned(dense(), "ft"))
    warnings: list[str] = []
    background = BackgroundTracker(tracker_of(plan, store, uri), warnings.append)
    view = View(uri)
    for chain in plan.chains[:2]:
        background.report(Event(chain=chain.name, kind="start"))
        store.commit_chain(chain)
        background.report(Event(chain=chain.name, kind="finished"))
    background.report(Event(chain="net/s0/ft/cascade", kind="start"))
    wait_for(lambda: view.client.get_experiment_by_name("tiny") is not None)
    wait_for(lambda: view.statuses().get("net/s0/ft/cascade") == "RUNNING")
    background.report(Event(chain="net/s0/ft/cascade", kind="failed", detail="out of memory"))
    wait_for(lambda: view.statuses()["net/s0/ft/cascade"] == "FAILED")
    assert view.statuses()["tiny"] == "RUNNING"
    assert background.close()
    assert warnings == []
    assert view.statuses() == {
        "tiny": "FAILED",
        "net/s0/dense": "FINISHED",
        "net/s0/wt/cascade": "FINISHED",
        "net/s0/ft/cascade": "FAILED",
    }
    assert view.runs()["net/s0/ft/cascade"].data.tags["prunesweep.cause"] == "out of memory"


def test_an_interrupted_sweep_leaves_nothing_running(
    tmp_path: Path, store: MemoryStore, uri: str
) -> None:
    plan = plan_of(tmp_path)
    background = BackgroundTracker(tracker_of(plan, store, uri), print)
    for chain in plan.chains:
        background.report(Event(chain=chain.name, kind="start"))
    assert background.close()
    assert "RUNNING" not in View(uri).statuses().values()


def test_mlflow_down_is_one_warning_and_a_way_to_catch_up(
    tmp_path: Path, store: MemoryStore, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    plan = plan_of(tmp_path)
    warnings: list[str] = []
    dead = f"http://127.0.0.1:{free_port('127.0.0.1', 18100)}"
    background = BackgroundTracker(tracker_of(plan, store, dead), warnings.append, patience=0.1)
    begun = time.monotonic()
    for chain in plan.chains:
        store.commit_chain(chain)
        background.report(Event(chain=chain.name, kind="finished"))
    assert time.monotonic() - begun < 1
    wait_for(lambda: bool(warnings))
    assert not background.close()
    assert len(warnings) == 2
    assert warnings[0].startswith(f"cannot write to MLflow at {dead}: ")
    assert f"prunesweep publish {tmp_path / 'sweep.yaml'}" in warnings[1]
    publish(plan, store, uri)
    assert len(View(uri).runs()) == 3


@contextmanager
def running_server(folder: Path, port: int) -> Iterator[str]:
    address = f"http://127.0.0.1:{port}"
    database = f"sqlite:///{folder}/mlflow.db"
    with serving(database, command(str(folder / "artifacts"), "127.0.0.1", port)):
        wait_for(lambda: answers(f"{address}/health"), 120)
        yield address


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


@pytest.mark.slow
def test_a_server_that_comes_up_late_gets_everything(
    tmp_path: Path,
    store: MemoryStore,
    uri: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    plan = plan_of(tmp_path)
    port = free_port("127.0.0.1", 18200)
    warnings: list[str] = []
    tracker = tracker_of(plan, store, f"http://127.0.0.1:{port}")
    background = BackgroundTracker(tracker, warnings.append, patience=1.0)
    store.commit_chain(plan.chains[0])
    background.report(Event(chain=plan.chains[0].name, kind="finished"))
    wait_for(lambda: len(warnings) == 1)
    with running_server(tmp_path, port) as address:
        view = View(address)
        wait_for(lambda: view.client.get_experiment_by_name("tiny") is not None, 60)
        wait_for(lambda: view.statuses().get("net/s0/dense") == "FINISHED", 60)
        store.commit_chain(plan.chains[1])
        background.report(Event(chain=plan.chains[1].name, kind="finished"))
        assert background.close(60)
        assert len(warnings) == 1
        before = view.everything()
        assert set(view.statuses().values()) == {"FINISHED"}
        assert len(view.curve("net/s0/wt/cascade", "accuracy/digital/contrast-3")) == 4
        weights = view.artifact("net/s0/wt/cascade", "networks/0.9/weights.safetensors")
        assert weights == b"weights of parent-0-wt-0.9"
        publish(plan, store, address)
        assert view.everything() == before
