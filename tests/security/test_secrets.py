"""What is secret stays out of everything that a sweep writes or says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.tracking.location import display

Write = Callable[..., Path]
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIA5ECRET0000000001",
    "AWS_SECRET_ACCESS_KEY": "s3cret/access+key/of/forty/characters/00",
    "AWS_SESSION_TOKEN": "FwoGs3cret-session-token",
    "MLFLOW_TRACKING_PASSWORD": "s3cret-mlflow",
    "RAY_AUTH_TOKEN": "5ec2e7" * 8,
}
PASSWORD = "hunter2-in-a-uri"
URI = f"http://reader:{PASSWORD}@127.0.0.1:9"


def leaks(folder: Path, *said: str) -> list[tuple[str, str]]:
    """Find the secrets in all files below ``folder``, and in what was said."""
    written = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    spoken = {f"output {n}": text.encode() for n, text in enumerate(said)}
    return [
        (place, secret)
        for place, content in {**written, **spoken}.items()
        for secret in (*SECRETS.values(), PASSWORD)
        if secret.encode() in content
    ]


@pytest.fixture
def secretive(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.slow
def test_a_run_keeps_secrets(
    prunesweep: Any,
    tiny: Write,
    tmp_path: Path,
    secretive: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tiny(seeds=[0], methods=["wt"], ratios=[0.5])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", URI)
    unheard = prunesweep("run", file, "--executor", "local")
    assert "127.0.0.1:9" in unheard.err  # MLflow does not answer, and it is told which
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    published = prunesweep("publish", file)
    assert published.code == 0
    assert (tmp_path / "store/mlflow.db").exists()
    assert (tmp_path / "reports/tiny/report.html").exists()
    told = prunesweep("status", file, "--json")
    said = [text for each in (unheard, published, told) for text in (each.out, each.err)]
    assert leaks(tmp_path, *said) == []


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://reader:a/{PASSWORD}@127.0.0.1/mlflow",
        f"postgresql://127.0.0.1/mlflow?user=reader&password={PASSWORD}",
    ],
)
def test_nor_is_one_that_only_a_database_takes(prunesweep: Any, tiny: Write, uri: str) -> None:
    ended = prunesweep("plan", tiny(tracking={"uri": uri}))
    assert ended.code == 2
    assert "not belong in" in ended.err
    assert PASSWORD not in ended.err + ended.out + display(uri)
    assert "127.0.0.1/mlflow" in display(uri)


@pytest.mark.parametrize("key", ["tracking", "store"])
def test_a_password_in_a_sweep_is_refused_unseen(prunesweep: Any, tiny: Write, key: str) -> None:
    value = {"tracking": {"uri": URI}, "store": URI}
    ended = prunesweep("plan", tiny(**{key: value[key]}))
    assert ended.code == 2
    assert "not belong in" in ended.err
    assert PASSWORD not in ended.err + ended.out


@pytest.mark.parametrize("key", ["tracking.uri", "store"])
def test_nor_is_one_shown_that_is_set(prunesweep: Any, tiny: Write, key: str) -> None:
    ended = prunesweep("plan", tiny(), "--set", f"{key}={URI}")
    assert ended.code == 2
    assert PASSWORD not in ended.err + ended.out


def test_the_test_would_notice(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"connecting to {URI}")
    assert leaks(tmp_path, "all is well", SECRETS["AWS_SESSION_TOKEN"]) == [
        (str(tmp_path / "log"), PASSWORD),
        ("output 1", SECRETS["AWS_SESSION_TOKEN"]),
    ]
