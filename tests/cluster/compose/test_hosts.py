"""compose.hosts.yaml: a head on one host, a worker on another, a folder that both mount."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import yaml

from tests.cluster.compose.conftest import obstacle, prepared, running
from tests.cluster.compose.image import ours
from tests.conftest import TINY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(obstacle()), reason=str(obstacle())),
]

HEAD, OTHER = "10.77.0.1", "10.77.0.2"
FILES = ["compose.yaml", "compose.hosts.yaml", "compose.cpu.yaml"]
PRUNESWEEP = str(Path(sys.prefix) / "bin" / "prunesweep")
SWEEP = {key: TINY[key] for key in ("networks", "analysis")} | {
    "name": "hosts",
    "seeds": [0],
    "methods": ["wt"],
    "ratios": [0.5],
    "tasks": {"train": ["nominal"]},
}


def test_a_worker_on_another_host_runs_the_trials(tmp_path: Path) -> None:
    shared = tmp_path / "nfs"
    shared.mkdir()
    os.chown(shared, ours().user, ours().user)
    variables = {"HEAD_IP": HEAD, "PRUNESWEEP_STORE_VOLUME": str(shared)}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    first = prepared(tmp_path / "first", FILES, ["ray-head"], variables)
    second = prepared(tmp_path / "second", FILES, ["ray-worker"], variables)
    first.host.join(second.host, HEAD, OTHER)
    token = first.secrets["ray_token"]
    second.secrets["ray_token"].unlink()
    second.secrets["ray_token"].write_text(token.read_text())
    environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token)}
    # MLflow's server is left out: runs are tracked in a file of the head.
    words = (PRUNESWEEP, "submit", "sweep.yaml", "--tracking-uri", "sqlite:////tmp/mlflow.db")
    with running(first), running(second):
        done = first.host.run(*words, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        (head,) = first.containers["ray-head"]
        listed = head.execute("ray", "list", "actors", "--format=yaml", "--detail", "--limit=1000")
        nodes = head.execute("ray", "list", "nodes", "--format=yaml")
    address = {node["node_id"]: node["node_ip"] for node in yaml.safe_load(nodes.stdout)}
    assert set(address.values()) == {HEAD, OTHER}
    trials = [one for one in yaml.safe_load(listed.stdout) if one["class_name"] == "ImplicitFunc"]
    assert {address[one["node_id"]] for one in trials} == {OTHER}
    assert len(list(shared.glob("objects/*/*/weights.safetensors"))) == 2
