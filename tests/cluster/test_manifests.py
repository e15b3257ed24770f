"""The files for Kubernetes and SLURM, as far as can be told without either."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

DOCKER = Path(__file__).parents[2] / "docker"
KUBERNETES = "1.33"

# KubeRay's custom resources, as far as they are used; the operator prunes what it does not know, so
# that a misspelt key would be silently without effect.
TEXT, WHOLE, FLAG = {"type": "string"}, {"type": "integer", "minimum": 0}, {"type": "boolean"}
POD = {"type": "object", "required": ["spec"]}
OPTIONS = {"type": "object", "additionalProperties": TEXT}


def keys(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
    }


CLUSTER = keys(
    ["headGroupSpec"],
    rayVersion=TEXT,
    authOptions=keys([], mode={"enum": ["disabled", "token"]}, secretName=TEXT),
    headGroupSpec=keys(["template"], rayStartParams=OPTIONS, template=POD, serviceType=TEXT),
    workerGroupSpecs={
        "type": "array",
        "items": keys(
            ["groupName", "template"],
            groupName=TEXT,
            replicas=WHOLE,
            minReplicas=WHOLE,
            maxReplicas=WHOLE,
            rayStartParams=OPTIONS,
            template=POD,
        ),
    },
)
JOB = keys(
    ["apiVersion", "kind", "metadata", "spec"],
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata=keys(["name"], name=TEXT),
    spec=keys(
        ["entrypoint", "rayClusterSpec"],
        entrypoint=TEXT,
        submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
        shutdownAfterJobFinishes=FLAG,
        ttlSecondsAfterFinished=WHOLE,
        backoffLimit=WHOLE,
        submitterConfig=keys([], backoffLimit=WHOLE),
        rayClusterSpec=CLUSTER,
    ),
)


@pytest.fixture
def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DOCKER / "kuberay.yaml").read_text()))


def test_kubernetes_knows_every_key(objects: list[dict[str, Any]]) -> None:
    claim, job = objects
    kubernetes_validate.validate(claim, KUBERNETES, strict=True)
    for template in templates(job):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, **template}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_kuberay_knows_every_key(objects: list[dict[str, Any]]) -> None:
    Draft202012Validator(JOB).validate(objects[1])


def test_what_the_manifest_says_fits_together(objects: list[dict[str, Any]]) -> None:
    claim, job = objects
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["rayVersion"] == version("ray")
    assert cluster["authOptions"] == {"mode": "token", "secretName": "prunesweep-ray"}
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    for template in templates(job):
        volumes = {one["name"]: one for one in template["spec"]["volumes"]}
        (container,) = template["spec"]["containers"]
        assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
        store = volumes["store"]["persistentVolumeClaim"]["claimName"]
        assert store == claim["metadata"]["name"]
        assert {"name": "PRUNESWEEP_STORE", "value": "/store"} in container["env"]
    start = (DOCKER / "kuberay.yaml").read_text().split("apiVersion")[0]
    assert "create secret generic prunesweep-ray --from-file=auth_token=" in start
    assert "create configmap prunesweep-sweep --from-file=sweep.yaml=" in start


def templates(job: dict[str, Any]) -> list[dict[str, Any]]:
    cluster = job["spec"]["rayClusterSpec"]
    return [group["template"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do [[ $1 == --nodelist=* ]] && export NODE=${1#*=}; shift; done
[[ $1 == hostname ]] && exec echo 127.0.0.1
exec "$@"
"""
SCONTROL = "#!/bin/bash\necho first; echo second\n"
RAY = """#!/bin/bash
[[ $1 == start ]] || exit 0
[[ $RAY_AUTH_MODE == token && $(wc -c <"$RAY_AUTH_TOKEN_PATH") == 64 ]] || echo no token >>"$LOG"
trap 'echo "$NODE ended" >>"$LOG"; kill $!; exit' TERM
/bin/sleep 60 &
echo "$NODE $*" >>"$LOG"
wait
"""
PRUNESWEEP = """#!/bin/bash
until [[ $(grep -c -- ' --address=' "$LOG") == 2 ]]; do sleep 0.1; done
echo "prunesweep $* at $RAY_ADDRESS" >>"$LOG"
trap 'echo "driver interrupted" >>"$LOG"; kill $!; exit 130' TERM
sleep 60 &
[[ $2 != long.yaml ]] || wait
kill $!
exit 7
"""


class Slurm:
    """A job of two nodes that are this machine."""

    def __init__(self, folder: Path, **programs: str) -> None:
        self.log = folder / "log"
        (folder / "home").mkdir()
        (folder / "bin").mkdir()
        for name, text in {"srun": SRUN, "scontrol": SCONTROL, **programs}.items():
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        self.home = folder / "home"
        self.environment = {
            "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LOG": str(self.log),
            "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_JOB_ID": str(os.getpid()),
            "SLURM_SUBMIT_DIR": str(folder),
            "SLURM_CPUS_PER_TASK": "1",
            "RAY_OBJECT_STORE": "100000000",
            "OMP_NUM_THREADS": "1",
        }

    def submit(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", DOCKER / "slurm.sh", *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def said(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


def test_a_job_starts_ray_runs_the_sweep_and_ends_both(tmp_path: Path) -> None:
    slurm = Slurm(tmp_path, ray=RAY, prunesweep=PRUNESWEEP)
    (tmp_path / "one.yaml").touch()
    job = slurm.submit("one.yaml", "--set", "seeds=[0, 1]")
    told, _ = job.communicate(timeout=60)
    assert job.returncode == 7, told
    said = slurm.said()
    port = 20000 + os.getpid() % 10000
    (head,) = [line for line in said if " --head " in line]
    assert head.startswith("first start ")
    assert f"--port={port} --num-cpus=0" in head
    workers = [
        line.split()[0] for line in said if f"--address=127.0.0.1:{port} --num-cpus=1" in line
    ]
    assert sorted(workers) == ["first", "second"]
    assert f"prunesweep run one.yaml --set seeds=[0, 1] at 127.0.0.1:{port}" in said
    assert sorted(line for line in said if "ended" in line) == [
        *("first ended", "first ended", "second ended")
    ]
    assert "no token" not in said
    assert list(slurm.home.iterdir()) == []


def test_the_time_limit_lets_the_driver_end_first(tmp_path: Path) -> None:
    slurm = Slurm(tmp_path, ray=RAY, prunesweep=PRUNESWEEP)
    (tmp_path / "long.yaml").touch()
    job = slurm.submit("long.yaml")
    wait_for(lambda: any("prunesweep run" in line for line in slurm.said()))
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=60)
    assert job.returncode == 143
    said = slurm.said()
    assert said.index("driver interrupted") < said.index("second ended")
    assert list(slurm.home.iterdir()) == []


def test_a_head_that_never_answers_ends_the_job(tmp_path: Path) -> None:
    deaf = RAY.replace("|| exit 0", "|| exit 1")
    slurm = Slurm(tmp_path, ray=deaf, prunesweep=PRUNESWEEP, sleep="#!/bin/sh\n")
    (tmp_path / "one.yaml").touch()
    job = slurm.submit("one.yaml")
    told, _ = job.communicate(timeout=60)
    address = f"127.0.0.1:{20000 + os.getpid() % 10000}"
    assert told == f"Ray's head on first did not answer at {address} in 120 tries\n"
    assert job.returncode == 1
    started, ended = slurm.said()
    assert " --head " in started
    assert ended == "first ended"
    assert list(slurm.home.iterdir()) == []


def test_a_sweep_that_is_not_there(tmp_path: Path) -> None:
    job = Slurm(tmp_path).submit("none.yaml")
    assert job.communicate(timeout=60)[0] == "no such sweep: none.yaml\n"
    assert job.returncode == 2


@pytest.mark.slow
def test_with_ray_and_a_sweep(tmp_path: Path, tiny: Any) -> None:
    slurm = Slurm(tmp_path)
    file = tiny(seeds=[0], methods=["wt"], ratios=[0.5])
    job = slurm.submit(file.name, "--no-report")
    told, _ = job.communicate(timeout=300)
    assert job.returncode == 0, told
    assert "2 done, " in told
    left = subprocess.run(["pgrep", "-s", str(job.pid)], capture_output=True, text=True)
    assert left.stdout == ""
    assert list((tmp_path / "home").glob(".prunesweep-*")) == []


@pytest.mark.parametrize("script", ["slurm.sh", "make-secrets"])
def test_shell_scripts(script: str) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    checked = subprocess.run([shellcheck, DOCKER / script], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def wait_for(condition: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)
