"""What MLflow's server is started with: a login or none, Amazon's S3 or another's."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.compose.document import load
from tests.cluster.compose.image import ROOT
from tests.cluster.compose.service import services

HEAD = "10.0.0.1"
MLFLOW = """#!/bin/sh
printf '%s\\n' "$@" >arguments
env >environment
"""


@dataclass(frozen=True)
class Started:
    """The arguments and the environment of the server, and what each secret is."""

    arguments: list[str]
    environment: dict[str, str]
    secrets: dict[str, str]


def started(folder: Path, *over: str, **variables: str) -> Started:
    """Run the service's command with a script in MLflow's place."""
    files = [ROOT / "docker" / file for file in ("compose.yaml", *over)]
    service = services(load(files, {"HEAD_IP": HEAD} | variables))["mlflow"]
    secrets = {name: f"the {name}" for name in service.secrets}
    (folder / "secrets").mkdir()
    for name, secret in secrets.items():
        (folder / "secrets" / name).write_text(secret)
    (folder / "mlflow").write_text(MLFLOW)
    (folder / "mlflow").chmod(0o755)
    words = [word.replace("/run/secrets", str(folder / "secrets")) for word in service.command]
    environment = service.environment | {"PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(words, cwd=folder, env=environment, check=True)
    pairs = re.findall(r"^(\w+)=(.*)$", (folder / "environment").read_text(), re.MULTILINE)
    return Started((folder / "arguments").read_text().splitlines(), dict(pairs), secrets)


def test_nobody_is_asked_for_a_login_unless_one_is_named(tmp_path: Path) -> None:
    server = started(tmp_path)
    assert "--app-name" not in server.arguments
    secret = {"MLFLOW_AUTH_ADMIN_PASSWORD", "MLFLOW_FLASK_SERVER_SECRET_KEY"}
    assert not secret & server.environment.keys()


@pytest.mark.parametrize(
    ("over", "variables"),
    [((), {"MLFLOW_LOGIN": "admin"}), (("compose.hosts.yaml",), {})],
    ids=["where it is switched on", "on several hosts"],
)
def test_a_login_has_its_password_from_a_file(
    over: tuple[str, ...], variables: dict[str, str], tmp_path: Path
) -> None:
    server = started(tmp_path, *over, **variables)
    assert server.arguments[-2:] == ["--app-name", "basic-auth"]
    assert server.environment["MLFLOW_AUTH_ADMIN_USERNAME"] == "admin"
    assert server.environment["MLFLOW_AUTH_ADMIN_PASSWORD"] == "the mlflow_password"
    assert server.environment["MLFLOW_FLASK_SERVER_SECRET_KEY"] == "the mlflow_secret_key"
    told = " ".join(server.arguments)
    assert not [secret for secret in server.secrets.values() if secret in told]


def test_several_hosts_can_do_without(tmp_path: Path) -> None:
    server = started(tmp_path, "compose.hosts.yaml", MLFLOW_LOGIN="")
    assert "--app-name" not in server.arguments


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ({}, "http://s3:9000"),
        ({"MLFLOW_S3_ENDPOINT_URL": "https://s3.example.org"}, "https://s3.example.org"),
        ({"MLFLOW_S3_ENDPOINT_URL": ""}, "https://s3.eu-west-1.amazonaws.com"),
    ],
    ids=["of the profile", "another's", "Amazon's"],
)
def test_where_the_server_looks_for_buckets(
    given: dict[str, str], used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By MLflow's own client in the environment that the server gets."""
    from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository

    server = started(tmp_path, AWS_DEFAULT_REGION="eu-west-1", **given)
    monkeypatch.delenv("MLFLOW_S3_ENDPOINT_URL", raising=False)
    for name in ("AWS_DEFAULT_REGION", "MLFLOW_S3_ENDPOINT_URL"):
        if name in server.environment:
            monkeypatch.setenv(name, server.environment[name])
    bucket = S3ArtifactRepository("s3://bucket", access_key_id="a", secret_access_key="b")
    assert bucket._get_s3_client().meta.endpoint_url == used
