"""Sweeps as jobs of a real cluster."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.cluster.conftest import BIN, Cluster
from tests.cluster.interruption import interrupted

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

SHORT = """
import sys
from orchestrator.cli import main
from orchestrator.cluster import counting, waiting

waiting.PATIENCE, counting.KEPT = 2.0, 0.0
main(sys.argv[1:])
"""
"""The command line with short times."""

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


def jobs(cluster: Cluster) -> set[str]:
    """The submission ids that the cluster knows."""
    token = Path(cluster.environment["RAY_AUTH_TOKEN_PATH"]).read_text()
    request = Request(f"{cluster.address}/api/jobs/", headers={"Authorization": f"Bearer {token}"})
    return {job["submission_id"] for job in json.load(urlopen(request, timeout=30))}


def runs(cluster: Cluster, sweep: str) -> dict[str, str]:
    """The runs of a sweep in MLflow, with their status."""
    with sqlite3.connect(cluster.store / "mlflow.db") as database:
        found = database.execute(
            "select runs.name, runs.status from runs join experiments using (experiment_id)"
            " where experiments.name = ? and runs.lifecycle_stage = 'active'",
            (sweep,),
        )
        return dict(found.fetchall())


def test_a_submitted_sweep_runs_to_its_end_through_a_connection_that_breaks(
    cluster: Cluster, sweep: Callable[..., Path], tmp_path: Path, prunesweep: Client
) -> None:
    file = sweep("whole")
    with interrupted(cluster.address, after=4, seconds=3) as port:
        command = ("prunesweep", "submit", file.name, "--address", port.address)
        ended = cluster.client(*command, folder=tmp_path)
        assert port.cut >= 2
    assert ended.returncode == 0, ended.stderr
    assert "submitted prunesweep-whole-" in ended.stderr
    assert "2 done, " in ended.stdout
    assert (cluster.store / "reports" / "whole" / "report.html").exists()
    assert set(runs(cluster, "whole").values()) == {"FINISHED"}
    assert len(runs(cluster, "whole")) == 3
    assert ended.stdout == prunesweep("logs", file.name).stdout

    (line,) = prunesweep("status", file.name, "--watch", "--json").stdout.splitlines()
    told = json.loads(line)
    assert told["store"] == str(cluster.store)
    assert told["counts"]["networks"] == {"all": 2, "cached": 2, "missing": 0, "blocked": 0}
    assert set(told["chains"].values()) == {"complete"}
    assert told["job"]["id"] == ended.stderr.split()[1]
    assert told["job"]["status"] == "SUCCEEDED"
    assert told["job"]["lines"] == ended.stdout.splitlines()[-5:]
    assert {path.name for path in tmp_path.iterdir()} == {file.name}

    again = prunesweep("submit", file.name, "--no-wait")
    assert "submitted prunesweep-whole-" in again.stderr
    assert "all 2 cells of whole are cached" in prunesweep("logs", file.name, "--follow").stdout


def test_a_sweep_that_was_never_begun_is_counted_too(
    cluster: Cluster, sweep: Callable[..., Path], tmp_path: Path
) -> None:
    counts = ("status", sweep("unbegun", epochs=2).name, "--address", cluster.address)
    never = cluster.client(str(BIN / "python"), "-c", SHORT, *counts, folder=tmp_path)
    assert never.returncode == 0, never.stderr
    assert "0 of 2 networks and 0 of 2 cells are done" in never.stdout
    assert never.stdout.endswith("no job of this sweep\n")
    assert sum(one.startswith("prunesweep-status-") for one in jobs(cluster)) == 1


def test_a_cluster_that_cannot_count_says_why(
    sweep: Callable[..., Path], prunesweep: Client
) -> None:
    refused = prunesweep("status", sweep("lost").name, "--set", "store=here")
    assert refused.returncode == 2
    assert refused.stdout == ""
    (line,) = refused.stderr.splitlines()
    assert re.search(r"cannot count: the store \S+/here would go with this job: name a", line)


def test_a_running_sweep_has_one_driver_and_ends_cleanly(
    cluster: Cluster, sweep: Callable[..., Path], prunesweep: Client, tmp_path: Path
) -> None:
    file = sweep("long", epochs=3000)
    first = prunesweep("submit", file.name, "--no-wait")
    driver = first.stderr.split()[1]
    watch = [str(BIN / "prunesweep"), "status", file.name, "--watch", "--json"]
    with subprocess.Popen(
        [*watch, "--address", cluster.address],
        cwd=tmp_path,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as watching:
        wait_for(lambda: "epoch" in prunesweep("logs", file.name).stdout)
        attached = prunesweep("submit", file.name, "--no-wait")
        assert f"attached to {driver}" in attached.stderr
        other = prunesweep("submit", file.name, "--set", "seeds=[1]")
        assert other.returncode == 2
        assert f"{driver} drives this sweep from an older or another file" in other.stderr

        with interrupted(cluster.address, after=5) as port:
            follow = ("logs", file.name, "--follow", "--address", port.address)
            lost = cluster.client(str(BIN / "python"), "-c", SHORT, *follow, folder=tmp_path)
        assert lost.returncode == 1
        assert lost.stdout
        assert prunesweep("logs", file.name).stdout.startswith(lost.stdout)
        assert lost.stderr == (
            f"the cluster at {port.address} has given no answer for 2 s; the sweep may go on. "
            f"Attach to it again with: prunesweep {' '.join(follow)}\n"
        )

        ended = prunesweep("stop", file.name)
        assert f"{driver} stopped; what was committed is kept" in ended.stderr
        looks = [json.loads(line) for line in watching.communicate(timeout=60)[0].splitlines()]
    assert watching.returncode == 0
    assert {look["job"]["id"] for look in looks} == {driver}
    assert {look["job"]["status"] for look in looks[:-1]} <= {"PENDING", "RUNNING"}
    assert looks[-1]["job"]["status"] == "STOPPED"
    dense, pruned = looks[-1]["chains"]
    busy = [look for look in looks if look["chains"] == {dense: "running", pruned: "missing"}]
    shown = {look["job"]["progress"] for look in busy}
    assert any(
        re.match(r"\d+ %, 0/2 networks, [\d,]+/3,001 epochs, 0/2 cells", told) for told in shown
    ), shown
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
    drivers = {one.communicate(timeout=120)[1].split(" on ")[0].split()[-1] for one in both}
    assert len(drivers) == 1
    assert [one.returncode for one in both] == [0, 0]


def test_no_attempt_has_the_id_of_another_when_jobs_are_deleted(
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
    uncounted = prunesweep("status", file.name)
    assert uncounted.returncode == 2
    assert "add --module own_net.py" in uncounted.stderr
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
