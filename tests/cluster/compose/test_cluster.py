"""A sweep through the services of compose.yaml, without a GPU: submitted, run, tracked, watched.

The commands, environments, volumes, secrets, health checks and their order are those of the files;
what stands in for Docker and for the images of others is described in ``project`` and ``image``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.compose.conftest import POSTGRES, obstacle, prepared, running
from tests.cluster.compose.project import Project
from tests.conftest import TINY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(obstacle()), reason=str(obstacle())),
    pytest.mark.skipif(POSTGRES is None, reason="needs PostgreSQL's server programs"),
]

PRUNESWEEP = str(Path(sys.prefix) / "bin" / "prunesweep")
SERVICES = ["postgres", "mlflow-schema", "mlflow", "ray-head", "ray-worker"]
LOGIN = "admin"
SWEEP = {key: TINY[key] for key in ("networks", "seeds", "ratios", "analysis")} | {
    "name": "compose",
    "methods": ["wt"],
    "tasks": {"train": ["nominal"]},
}
TRACKING = "http://127.0.0.1:5000"
MLFLOW, RAY = f"{TRACKING}/api/2.0/mlflow", "http://127.0.0.1:8265/api/v0"
FETCH = """
import json, sys
from urllib.error import HTTPError
from urllib.request import Request, urlopen
url, headers, data = json.load(sys.stdin)
try:
    with urlopen(Request(url, data and json.dumps(data).encode(), headers)) as answer:
        print(answer.status, answer.read().decode())
except HTTPError as error:
    print(error.code, error.read().decode())
"""


class Cluster:
    """The cluster as a user of its host meets it."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.store = project.state / "volumes" / "store"
        # The reference, while the cluster starts.
        words = [PRUNESWEEP, "run", "sweep.yaml", "--executor", "local", "--set", "store=local"]
        with (folder / "local.log").open("w") as log:
            self.local = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)

    @property
    def token(self) -> Path:
        return self.project.secrets["ray_token"]

    def submit(self, token: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Submit the sweep as the head of compose.yaml says."""
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("RAY_")},
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token or self.token),
        }
        words = (PRUNESWEEP, "submit", "sweep.yaml")
        return self.project.host.run(*words, cwd=self.folder, env=environment)

    @property
    def password(self) -> str:
        """What MLflow asks for."""
        return self.project.secrets["mlflow_password"].read_text()

    def publish(self, **login: str) -> subprocess.CompletedProcess[str]:
        """Publish the sweep once more from the host, with these variables for MLflow's client."""
        words = [PRUNESWEEP, "publish", "sweep.yaml", "--set", f"store={self.store}"]
        words += ["--tracking-uri", TRACKING]
        return self.project.host.run(*words, cwd=self.folder, env=os.environ | login)

    def fetch(self, url: str, data: Any = None, **headers: str) -> tuple[int, str]:
        """Ask a published port, and return status and body."""
        login = b64encode(f"{LOGIN}:{self.password}".encode()).decode()
        known = f"Bearer {self.token.read_text()}" if RAY in url else f"Basic {login}"
        always = {"Content-Type": "application/json", "Authorization": known}
        asked = json.dumps([url, always | headers, data])
        answer = self.project.host.run(sys.executable, "-c", FETCH, input=asked)
        status, _, body = answer.stdout.partition(" ")
        return int(status), body

    def state(self, kind: str) -> list[dict[str, Any]]:
        """List what Ray knows of its ``nodes`` or ``actors``."""
        told = json.loads(self.fetch(f"{RAY}/{kind}?detail=1&limit=1000")[1])
        found: list[dict[str, Any]] = told["data"]["result"]["result"]
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("compose")
    (folder / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    names = SERVICES + (["prometheus"] if shutil.which("prometheus") else [])
    # One CPU each, so that two trials at once need two workers.
    variables = {"RAY_WORKER_OPTIONS": "--num-cpus=1", "MLFLOW_LOGIN": LOGIN}
    project = prepared(folder, ["compose.yaml", "compose.cpu.yaml"], names, variables)
    told = Cluster(project, folder)
    with told.local, running(project, {"ray-worker": 2}):
        yield told


@pytest.fixture(scope="module")
def submitted(cluster: Cluster) -> subprocess.CompletedProcess[str]:
    return cluster.submit()


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    files = [file for pattern in patterns for file in folder.rglob(pattern)]
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def test_the_results_are_those_of_a_local_run(
    cluster: Cluster, submitted: subprocess.CompletedProcess[str]
) -> None:
    assert submitted.returncode == 0, submitted.stdout + submitted.stderr
    assert cluster.local.wait() == 0, (cluster.folder / "local.log").read_text()
    here, there = cluster.folder / "local" / "objects", cluster.store / "objects"
    networks = digests(here, "weights.safetensors", "predictions.parquet")
    assert len(networks) == 2 * 2 * (1 + len(SWEEP["ratios"]))
    assert digests(there, "weights.safetensors", "predictions.parquet") == networks
    tables = digests(cluster.folder / "reports" / "compose" / "tables", "*.csv", "*.tex")
    assert "potentials.csv" in tables
    assert digests(cluster.store / "reports" / "compose" / "tables", "*.csv", "*.tex") == tables


@pytest.mark.usefixtures("submitted")
def test_the_trials_ran_on_both_workers_and_not_on_the_head(cluster: Cluster) -> None:
    nodes = {node["node_id"]: node["node_ip"] for node in cluster.state("nodes")}
    addresses = {
        name: {one.address for one in containers}
        for name, containers in cluster.project.containers.items()
    }
    assert set(nodes.values()) == addresses["ray-head"] | addresses["ray-worker"]
    trials = [actor for actor in cluster.state("actors") if actor["class_name"] == "ImplicitFunc"]
    assert {nodes[actor["node_id"]] for actor in trials} == addresses["ray-worker"]


@pytest.mark.usefixtures("submitted")
def test_mlflow_has_every_run_finished(cluster: Cluster) -> None:
    _, found = cluster.fetch(f"{MLFLOW}/experiments/get-by-name?experiment_name=compose", None)
    experiment = json.loads(found)["experiment"]["experiment_id"]
    asked = {"experiment_ids": [experiment], "max_results": 100}
    runs = json.loads(cluster.fetch(f"{MLFLOW}/runs/search", asked)[1])["runs"]
    assert sorted((run["info"]["run_name"], run["info"]["status"]) for run in runs) == [
        (name, "FINISHED")
        for name in (
            "compose",
            *(
                f"resnet8-4-digits/s{s}/{chain}"
                for s in (0, 1)
                for chain in ("dense", "wt/cascade")
            ),
        )
    ]
    (postgres,) = cluster.project.containers["postgres"]
    query = ("psql", "--user=mlflow", "--tuples-only", "--command=select count(*) from runs")
    assert postgres.execute(*query).stdout.strip() == "5"


@pytest.mark.usefixtures("submitted")
def test_a_second_submit_finds_everything_cached(cluster: Cluster) -> None:
    again = cluster.submit()
    assert again.returncode == 0, again.stderr
    assert "nothing to do: all 6 cells of compose are cached" in again.stdout


def test_another_token_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0" * 64)
    refused = cluster.submit(tmp_path / "token")
    assert refused.returncode == 2
    assert "asks for a token" in refused.stderr


def test_mlflow_refuses_the_name_of_another_host(cluster: Cluster) -> None:
    search = f"{MLFLOW}/experiments/search"
    assert cluster.fetch(search, {"max_results": 1})[0] == 200
    assert cluster.fetch(search, {"max_results": 1}, Host="elsewhere.example:5000")[0] == 403


def test_mlflow_asks_for_the_login(cluster: Cluster) -> None:
    search = f"{MLFLOW}/experiments/search", {"max_results": 1}
    assert cluster.fetch(*search)[0] == 200
    wrong = b64encode(f"{LOGIN}:wrong".encode()).decode()
    assert cluster.fetch(*search, Authorization="")[0] == 401
    assert cluster.fetch(*search, Authorization=f"Basic {wrong}")[0] == 401
    (mlflow,) = cluster.project.containers["mlflow"]
    health = mlflow.service.health
    assert mlflow.execute(*health).returncode == 0
    refused = mlflow.execute("env", "MLFLOW_AUTH_ADMIN_USERNAME=nobody", *health)
    assert "HTTP Error 401" in refused.stderr


@pytest.mark.usefixtures("submitted")
def test_nothing_is_published_without_the_password(cluster: Cluster) -> None:
    refused = cluster.publish()
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line == (
        f"cannot write to MLflow at {TRACKING}: it refuses this user (401); "
        "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ask for permission"
    )
    known = {"MLFLOW_TRACKING_USERNAME": LOGIN, "MLFLOW_TRACKING_PASSWORD": cluster.password}
    done = cluster.publish(**known)
    assert (done.returncode, done.stdout) == (0, f"published compose to {TRACKING}\n"), done.stderr


@pytest.mark.usefixtures("submitted")
def test_the_password_is_in_no_log_no_volume_and_no_argument(cluster: Cluster) -> None:
    state, secret = cluster.project.state, cluster.password.encode()
    read = 0
    for file in [*state.glob("logs/*"), *state.glob("volumes/*/**/*")]:
        with suppress(FileNotFoundError):  # servers remove some while we look
            if file.is_file():
                read += 1
                assert secret not in file.read_bytes(), file
    assert read > 100
    lasting = [
        one
        for containers in cluster.project.containers.values()
        for one in containers
        if not one.service.once
    ]
    look = ("sh", "-c", "cat /proc/[0-9]*/cmdline")
    words = {one.name: one.execute(*look).stdout for one in lasting}
    assert "--app-name\0basic-auth" in words["mlflow-1"]
    assert not [name for name, said in words.items() if cluster.password in said]


def test_rays_objects_are_in_shared_memory(cluster: Cluster) -> None:
    for container in cluster.project.containers["ray-worker"]:
        words = container.execute("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '").stdout
        assert "--plasma_directory=/dev/shm" in words


@pytest.mark.skipif(not shutil.which("prometheus"), reason="needs prometheus")
@pytest.mark.usefixtures("submitted")
def test_prometheus_hears_of_every_node_and_of_the_sweep(cluster: Cluster) -> None:
    api = "http://127.0.0.1:9090/api/v1"
    ray = [*cluster.project.containers["ray-head"], *cluster.project.containers["ray-worker"]]
    query = "last_over_time(ray_prunesweep_cells_total[1h])"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        targets = json.loads(cluster.fetch(f"{api}/targets")[1])["data"]["activeTargets"]
        heard = json.loads(cluster.fetch(f"{api}/query?query={query}")[1])["data"]["result"]
        up = {target["scrapeUrl"] for target in targets if target["health"] == "up"}
        if heard and up >= {f"http://{one.address}:8080/metrics" for one in ray}:
            break
        time.sleep(2)
    assert up >= {f"http://{one.address}:8080/metrics" for one in ray}
    assert [series["metric"]["sweep"] for series in heard] == ["compose"]
