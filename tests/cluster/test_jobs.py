"""Sweeps as jobs of a real cluster."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.conftest import Cluster

pytestmark = pytest.mark.slow

SWEEP = """
name: {name}
networks:
  - model: {model}
    data: digits
    training: {{epochs: {epochs}, batch_size: 64}}
    retraining: {{epochs: 1}}
seeds: [0]
methods: [wt]
ratios: [0.5]
"""

Client = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, model: str = "{resnet8: {width: 2}}", epochs: int = 1) -> Path:
        file = tmp_path / f"{name}.yaml"
        file.write_text(SWEEP.format(name=name, model=model, epochs=epochs))
        return file

    return write


@pytest.fixture
def prunesweep(cluster: Cluster, tmp_path: Path) -> Client:
    def run(verb: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ("prunesweep", verb, *arguments, "--address", cluster.address)
        return cluster.client(*command, folder=tmp_path, **environment)

    return run


def runs(cluster: Cluster, sweep: str) -> dict[str, str]:
    """The runs of a sweep in MLflow, with their status."""
    with sqlite3.connect(cluster.store / "mlflow.db") as database:
        found = database.execute(
            "select runs.name, runs.status from runs join experiments using (experiment_id)"
            " where experiments.name = ? and runs.lifecycle_stage = 'active'",
            (sweep,),
        )
        return dict(found.fetchall())


def test_a_submitted_sweep_runs_to_its_end(
    cluster: Cluster, sweep: Callable[..., Path], prunesweep: Client
) -> None:
    file = sweep("whole")
    ended = prunesweep("submit", file.name)
    assert ended.returncode == 0, ended.stderr
    assert "submitted prunesweep-whole-" in ended.stderr
    assert "2 done, " in ended.stdout
    assert (cluster.store / "reports" / "whole" / "report.html").exists()
    assert set(runs(cluster, "whole").values()) == {"FINISHED"}
    assert len(runs(cluster, "whole")) == 3
    assert ended.stdout == prunesweep("logs", file.name).stdout

    again = prunesweep("submit", file.name, "--no-wait")
    assert "submitted prunesweep-whole-" in again.stderr
    assert "all 2 cells of whole are cached" in prunesweep("logs", file.name, "--follow").stdout
    shown = prunesweep("status", file.name, "--watch", PRUNESWEEP_STORE=str(cluster.store))
    assert "2 of 2 networks" in shown.stdout
    assert "succeeded" in shown.stdout


def test_a_running_sweep_has_one_driver_and_ends_cleanly(
    cluster: Cluster, sweep: Callable[..., Path], prunesweep: Client
) -> None:
    file = sweep("long", epochs=3000)
    first = prunesweep("submit", file.name, "--no-wait")
    number = first.stderr.split()[1]
    wait_for(lambda: "epoch" in prunesweep("logs", file.name).stdout)

    attached = prunesweep("submit", file.name, "--no-wait")
    assert f"attached to {number}" in attached.stderr
    other = prunesweep("submit", file.name, "--set", "seeds=[1]")
    assert other.returncode == 2
    assert f"{number} drives this sweep from an older or another file" in other.stderr

    ended = prunesweep("stop", file.name)
    assert f"{number} stopped; what was committed is kept" in ended.stderr
    assert "interrupted; what was committed is kept" in prunesweep("logs", file.name).stdout
    assert runs(cluster, "long") == {"long": "KILLED", "resnet8-2-digits/s0/dense": "KILLED"}
    assert "has ended already: stopped" in prunesweep("stop", file.name).stderr


def test_of_two_submits_at_once_one_drives(
    cluster: Cluster, sweep: Callable[..., Path], tmp_path: Path
) -> None:
    file = sweep("rivals")
    command = ["prunesweep", "submit", file.name, "--no-wait", "--address", cluster.address]
    path = cluster.environment["PATH"].split(":")[0]
    both = [
        subprocess.Popen(
            [f"{path}/{command[0]}", *command[1:]],
            cwd=tmp_path,
            env=cluster.environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    numbers = {one.communicate(timeout=120)[1].split(" on ")[0].split()[-1] for one in both}
    assert len(numbers) == 1
    assert [one.returncode for one in both] == [0, 0]


def test_a_number_is_not_used_twice_when_jobs_are_deleted(
    cluster: Cluster, sweep: Callable[..., Path], prunesweep: Client, tmp_path: Path
) -> None:
    file = sweep("deleted")
    first, second = (prunesweep("submit", file.name).stderr.split()[1] for _ in range(2))
    delete = ["ray", "job", "delete", "--address", cluster.address, first]
    assert cluster.client(*delete, folder=tmp_path).returncode == 0
    third = prunesweep("submit", file.name).stderr
    assert third.startswith("submitted ")
    assert third.split()[1] not in (first, second)


def test_a_log_that_nobody_reads_any_more_is_no_fault_of_the_cluster(
    cluster: Cluster, sweep: Callable[..., Path], tmp_path: Path
) -> None:
    file = sweep("piped")
    follow = f"prunesweep submit {file.name} --address {cluster.address} | true"
    ended = cluster.client("bash", "-c", follow, folder=tmp_path)
    assert "no Ray cluster answers" not in ended.stderr


def test_a_network_of_the_user_s_own_is_shipped(
    sweep: Callable[..., Path], prunesweep: Client, tmp_path: Path
) -> None:
    (tmp_path / "own_net.py").write_text(
        "from torch import nn\n\n\n"
        "class Small(nn.Sequential):\n"
        "    def __init__(self, *, channels, classes):\n"
        "        wide = nn.Linear(64 * channels, 16)\n"
        "        super().__init__(nn.Flatten(), wide, nn.ReLU(), nn.Linear(16, classes))\n"
    )
    file = sweep("own", model="'own_net:Small'")
    refused = prunesweep("submit", file.name)
    assert refused.returncode == 2
    assert (
        "uses own_net, which the cluster does not have: add --module own_net.py" in refused.stderr
    )
    ended = prunesweep("submit", file.name, "--module", "own_net.py")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 done, " in ended.stdout


def test_ray_s_own_command_submits_too(
    cluster: Cluster, sweep: Callable[..., Path], tmp_path: Path
) -> None:
    file = sweep("plain")
    submit = ["ray", "job", "submit", "--address", cluster.address, "--working-dir", "."]
    ended = cluster.client(*submit, "--", "prunesweep", "run", file.name, folder=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert set(runs(cluster, "plain").values()) == {"FINISHED"}
    refused = [*submit, "--", "prunesweep", "run", file.name, "--set", "store=store"]
    lost = cluster.client(*refused, folder=tmp_path)
    assert lost.returncode != 0
    assert "would go with this job" in lost.stdout + lost.stderr


def test_who_is_not_let_in_is_told_why(
    sweep: Callable[..., Path], prunesweep: Client, tmp_path: Path
) -> None:
    file = sweep("none")
    (tmp_path / "token").write_text("0" * 64)
    wrong = prunesweep("logs", file.name, RAY_AUTH_TOKEN_PATH=str(tmp_path / "token"))
    assert wrong.returncode == 2
    assert "asks for a token: set RAY_AUTH_MODE=token" in wrong.stderr
    assert "has no job of the sweep 'none'" in prunesweep("stop", file.name).stderr


def test_where_nothing_answers(
    cluster: Cluster, sweep: Callable[..., Path], tmp_path: Path
) -> None:
    command = ("prunesweep", "submit", sweep("none").name, "--address", "http://127.0.0.1:9")
    nobody = cluster.client(*command, folder=tmp_path)
    assert nobody.returncode == 2
    assert "no Ray cluster answers at http://127.0.0.1:9" in nobody.stderr


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.5)
