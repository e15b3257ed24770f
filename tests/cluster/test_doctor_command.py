"""The command ``doctor``, here and against a real cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import BIN, Cluster, free_port
from tests.cluster.test_doctor import SWEEP
from tests.cluster.test_doctor_tracking import DNS, server


def run(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "prunesweep"), "doctor", *words]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **more}, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_command_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "workers").mkdir()  # what lies here has nothing to do with ours
    (tmp_path / "fit.yaml").write_text(SWEEP)
    ended = run("fit.yaml", folder=tmp_path)
    assert ended.returncode == 0, ended.stdout
    assert [line.split()[0] for line in ended.stdout.splitlines() if line[0].isalpha()][:3] == [
        *("check", "versions", "cpus"),
    ]
    assert "digits is here" in ended.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.yaml", "workers"]

    with server(403, DNS) as (host, _):
        ended = run("fit.yaml", folder=tmp_path, MLFLOW_TRACKING_URI=f"http://{host}")
    assert ended.returncode == 1
    line = f"fail: mlflow on this machine: http://{host} refuses the name '{host}' (403, "
    assert any(told.startswith(line) for told in ended.stdout.splitlines())

    ended = run("none.yaml", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "cannot read 'none.yaml'" in ended.stderr


@pytest.mark.slow
def test_no_cluster_at_that_address(tmp_path: Path) -> None:
    ended = run("--address", f"http://127.0.0.1:{free_port()}", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("no Ray cluster answers at http://127.0.0.1:")


@pytest.fixture
def doctor(cluster: Cluster, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    (tmp_path / "fit.yaml").write_text(SWEEP)

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        command = ("prunesweep", "doctor", *words, "--address", cluster.address)
        return cluster.client(*command, folder=tmp_path)

    return ask


BUSY_JOB = (
    "import ray; ray.init(); ray.get(ray.remote(num_cpus=2)(__import__('time').sleep).remote(90))"
)


@pytest.mark.slow
def test_a_cluster_without_a_free_cpu(
    cluster: Cluster, doctor: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    ray = [str(BIN / "ray"), "job"]
    at = ["--address", cluster.address]
    busy = ["submit", *at, "--no-wait", "--submission-id", "busy", "--", sys.executable, "-c"]
    assert cluster.client(*ray, *busy, BUSY_JOB, folder=tmp_path).returncode == 0
    try:
        ended = doctor("fit.yaml", "--json")
    finally:
        cluster.client(*ray, "stop", *at, "--no-wait", "busy", folder=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout)
    assert told["fit"]
    head, client = told["nodes"]
    assert head["node"].endswith(" (head)")
    levels = {(one["check"], one["level"]) for one in head["checks"]}
    found = [one["found"] for one in head["checks"]]
    assert {("store", "ok"), ("data", "ok"), ("mlflow", "ok"), ("ports", "ok")} <= levels
    assert "shared with the driver" in found
    assert any(one.startswith(f"{cluster.store}, a commit takes ") for one in found)
    assert [(one["check"], one["level"]) for one in client["checks"]] == [("versions", "ok")]
    assert not cluster.store.exists() or not list((cluster.store / "scratch").glob("doctor-*"))


@pytest.fixture
def stranger(cluster: Cluster) -> Iterator[None]:
    """Let a node join that has another folder under the store's path."""
    cluster.store.mkdir(exist_ok=True)
    told = cluster.store.parent / "ray" / "ray_current_cluster"
    deadline = time.monotonic() + 60
    while not told.exists():  # the last thing that a head writes
        assert time.monotonic() < deadline
        time.sleep(0.5)
    mount = f"mount -t tmpfs none {cluster.store}"
    if subprocess.run(["unshare", "--mount", "sh", "-c", mount], capture_output=True).returncode:
        pytest.skip("a mount namespace of one's own needs root")
    ports = f"--dashboard-agent-listen-port={free_port()} --metrics-export-port={free_port()}"
    start = (
        f"ray start --address={told.read_text()} --num-cpus=0 {ports} --disable-usage-stats --block"
    )
    node = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", f"{mount} && exec {start}"],
        env=cluster.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield
    node.terminate()
    node.wait(60)


@pytest.mark.slow
def test_a_node_with_another_store(
    stranger: None, cluster: Cluster, doctor: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    deadline = time.monotonic() + 90
    while len(nodes := (ended := doctor()).stdout.partition("\n\n")[0].splitlines()[1:]) < 3:
        assert time.monotonic() < deadline, ended.stdout + ended.stderr
    assert ended.returncode == 1
    states = dict(zip(ended.stdout.split("\n")[0].split(), nodes[1].split(), strict=False))
    assert states["versions"] == states["cpus"] == "ok"
    (line,) = [told for told in ended.stdout.splitlines() if told.startswith("fail: ")]
    assert f"what the driver writes to {cluster.store} is not seen here; mount the same" in line


@pytest.mark.slow
def test_a_cluster_that_is_too_small(
    doctor: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    ended = doctor("fit.yaml", "--set", "resources.cpus=4", "--set", "resources.gpus=1")
    assert ended.returncode == 1, ended.stderr
    assert ended.stdout.startswith("node")
    assert "a chain is given 4, and no node offers more than 2; --set resources.cpus=2" in (
        ended.stdout
    )
    assert "a chain is given 1, and no node offers more than 0; --set resources.gpus=0" in (
        ended.stdout
    )
