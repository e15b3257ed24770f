"""docker/: the files follow Compose's schema, agree with each other and keep to the rules."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest

from tests.cluster.compose.document import load, read, variables
from tests.cluster.compose.image import ROOT, ours
from tests.cluster.compose.service import Service, services

DOCKER = ROOT / "docker"
SETS = [
    ["compose.yaml"],
    ["compose.yaml", "compose.cpu.yaml"],
    ["compose.yaml", "compose.hosts.yaml"],
    ["compose.yaml", "compose.hosts.yaml", "compose.cpu.yaml"],
]
HEAD = "10.0.0.1"
EMPTY = ("MLFLOW_LOGIN", "MLFLOW_S3_ENDPOINT_URL")
"""Variables to which nothing says something else than that they are not set."""
SCHEMA = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"


def document(files: list[str], **environment: str) -> dict[str, Any]:
    return load([DOCKER / file for file in files], {"HEAD_IP": HEAD} | environment)


def every(files: list[str]) -> list[Service]:
    return list(services(document(files)).values())


with_each_set = pytest.mark.parametrize("files", SETS, ids=" ".join)


@with_each_set
def test_what_compose_reads_follows_its_schema(files: list[str]) -> None:
    jsonschema.validate(document(files), json.loads(SCHEMA.read_text()))


@with_each_set
def test_all_that_is_used_is_declared(files: list[str]) -> None:
    whole = document(files)
    found = services(whole)
    used = {mount.source for one in found.values() for mount in one.mounts if mount.is_volume}
    assert used == set(whole["volumes"])
    secrets = {secret for one in found.values() for secret in one.secrets}
    assert secrets == set(whole["secrets"])
    for one in found.values():
        assert set(one.depends_on) <= set(found)
        for other, condition in one.depends_on.items():
            completed = condition == "service_completed_successfully"
            assert completed == found[other].once
            assert completed or found[other].health
        named = " ".join([*one.entrypoint, *one.command, *one.health, *one.environment.values()])
        assert set(re.findall(r"/run/secrets/(\w+)", named)) <= set(one.secrets)


@with_each_set
def test_what_runs_for_long_has_a_health_check_and_what_is_mounted_is_there(
    files: list[str],
) -> None:
    for one in every(files):
        assert one.once or one.health, one.name
        for mount in one.mounts:
            assert mount.is_volume or (DOCKER / mount.source).exists(), mount.source


@with_each_set
def test_ports_are_open_on_this_machine_alone(files: list[str]) -> None:
    """But for MLflow on several hosts, which is open on the address that is asked for."""
    addresses = {(one.name, port.address) for one in every(files) for port in one.ports}
    abroad = {("mlflow", HEAD)} if "compose.hosts.yaml" in files else set()
    assert {pair for pair in addresses if pair[1] != "127.0.0.1"} == abroad
    for one in every(files):
        assert not one.host_network or not one.ports


@with_each_set
def test_images_of_others_have_a_version(files: list[str]) -> None:
    for one in every(files):
        assert one.image == "prunesweep" or re.search(r":v?\d[\w.-]*$", one.image), one.image


def test_our_containers_are_no_root_and_own_the_volumes_they_write() -> None:
    image = ours()
    assert image.user > 0
    for one in every(["compose.yaml"]):
        if one.image == "prunesweep":
            written = {mount.target for mount in one.mounts if not mount.read_only}
            assert written <= set(image.folders), one.name


@pytest.mark.parametrize("file", sorted(DOCKER.glob("compose*.yaml")), ids=lambda path: path.name)
def test_every_variable_has_a_default_or_must_be_set_and_is_explained(file: Path) -> None:
    guide = (ROOT / "docs" / "cluster.md").read_text()
    for name, operator in variables(read(file)):
        assert f"`{name}`" in guide, name
        assert operator in (":-", ":?") or name in EMPTY or name == "HEAD_IP", name
        assert operator != "-" or name in EMPTY, name


def test_no_secret_is_in_an_environment() -> None:
    words = re.compile("PASSWORD|SECRET|TOKEN|ACCESS_KEY")
    for one in every(["compose.yaml"]):
        for name, value in one.environment.items():
            assert not words.search(name) or value.startswith("/run/secrets/"), name


def test_only_the_workers_have_trials_and_only_without_the_override_gpus() -> None:
    for files in SETS:
        whole = document(files)["services"]
        assert "--num-cpus=0 --num-gpus=0" in whole["ray-head"]["command"]
        assert ("deploy" in whole["ray-worker"]) == ("compose.cpu.yaml" not in files)
        assert all("deploy" not in whole[name] for name in whole if name != "ray-worker")


def test_a_worker_on_another_host_needs_only_the_address_of_the_head() -> None:
    worker = services(document(["compose.yaml", "compose.hosts.yaml"]))["ray-worker"]
    assert worker.host_network
    assert not worker.depends_on
    assert f"--address={HEAD}:6379" in worker.command
    assert worker.environment["MLFLOW_TRACKING_URI"] == f"http://{HEAD}:5000"


def test_the_folders_of_volumes_can_be_ones_own() -> None:
    own = {"PRUNESWEEP_STORE_VOLUME": "/mnt/store", "PRUNESWEEP_DATA_VOLUME": "/mnt/data"}
    for one in services(document(["compose.yaml"], **own)).values():
        if one.name.startswith("ray"):
            assert {mount.source for mount in one.mounts} >= {"/mnt/store", "/mnt/data"}


def test_secrets_are_made_once_and_kept_from_others(tmp_path: Path) -> None:
    script = tmp_path / "make-secrets"
    script.write_text((DOCKER / "make-secrets").read_text())
    contents = []
    for _ in range(2):
        subprocess.run(["sh", script], check=True)
        contents.append({file.name: file.read_text() for file in tmp_path.glob("secrets/*")})
    assert contents[0] == contents[1]
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    declared = {Path(entry["file"]) for entry in document(["compose.yaml"])["secrets"].values()}
    assert {Path("secrets") / name for name in contents[0]} == declared
    made = [text for name, text in contents[0].items() if re.search("token|password|secret", name)]
    assert len(set(made)) == 6
    assert all(re.fullmatch("[0-9a-f]{64}", text) for text in made)


def test_no_secret_is_an_argument_or_in_an_environment() -> None:
    for one in services(document(["compose.yaml"])).values():
        for secret in one.secrets:
            reads = rf"\$\$?\(cat /run/secrets/{secret}\)"
            for text in filter(re.compile(reads).search, [*one.entrypoint, *one.command]):
                (name,) = re.findall(rf'export (\w+)="?{reads}', text)
                assert f"${name}" not in text


def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sys.prefix) / "bin" / "hadolint"
    said = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


@with_each_set
def test_each_profile_starts_by_itself_and_waits_for_what_ends(files: list[str]) -> None:
    """``up --wait`` takes an end for a failure unless another service waits for it."""
    whole = document(files)
    found = services(whole)
    for profile in ({"s3"}, {"monitoring"}, set()):
        names = [
            one.name for one in found.values() if not one.profiles or {*one.profiles} & profile
        ]
        started = services(whole, names)
        waited = {on for one in started.values() for on in one.depends_on}
        assert waited <= set(names)
        assert {one.name for one in started.values() if one.once} <= waited
