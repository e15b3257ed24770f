"""A whole sweep with its store in a bucket: every command, and the same numbers as in a folder."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.collect import collect
from orchestrator.search_path import forgotten
from orchestrator.sweep import open_sweep

Write = Callable[..., Path]

SMALL: dict[str, Any] = {"seeds": [0], "methods": ["wt"], "resources": {"workers": 1}}


@pytest.fixture
def prunesweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Any:
    """Run a command in an empty folder; returns its exit code and what it wrote."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return int(ended.value.code or 0), written.out, written.err

    with forgotten([str(tmp_path)]):
        yield run


def tables(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.csv")}


def cells(file: Path) -> Any:
    sweep = open_sweep(file)
    return collect(sweep.plan, sweep.store)


def busy_at_times() -> Callable[[str], tuple[str, bytes] | None]:
    """Throttle every seventh request."""
    asked, slower = count(1), b"<Error><Code>SlowDown</Code><Message>slower</Message></Error>"
    return lambda kind: ("503 Slow Down", slower) if next(asked) % 7 == 0 else None


@pytest.mark.slow
def test_every_command_and_the_numbers_of_a_local_store(
    prunesweep: Any, tiny: Write, tmp_path: Path, bucket_uri: str, s3: Any
) -> None:
    remote, local = tiny("remote.yaml", store=bucket_uri, **SMALL), tiny("local.yaml", **SMALL)
    s3.failure = busy_at_times()
    for file in (remote, local):
        told = prunesweep("run", file, "--executor", "local", "--no-report")
        assert told[0] == 0, told
    s3.failure = lambda kind: None
    assert cells(remote).num_rows == 3 * 3
    assert cells(remote).equals(cells(local))
    for file in (remote, local):
        assert prunesweep("report", file, "--output", file.stem)[0] == 0
    assert tables(tmp_path / "remote") == tables(tmp_path / "local") != {}
    assert (tmp_path / "mlflow.db").exists()

    with s3.counted() as counts:
        assert prunesweep("status", remote)[0] == 0
    assert counts == {"LIST": 2, "HEAD": 3, "GET": 2}
    code, out, _ = prunesweep("run", remote, "--executor", "local", "--no-report")
    assert (code, out.splitlines()[0]) == (0, "nothing to do: all 9 cells of tiny are cached")
    for command in ("publish", "plan"):
        told = prunesweep(command, remote)
        assert told[0] == 0, told
    assert prunesweep("verify", remote)[:2] == (0, f"0 damaged of 6 objects in {bucket_uri}\n")
    assert prunesweep("gc", remote)[:2] == (0, f"nothing to delete in {bucket_uri}\n")

    smaller = tiny("smaller.yaml", store=bucket_uri, **SMALL | {"ratios": [0.3]})
    code, out, _ = prunesweep("gc", smaller, "--delete")
    assert code == 0
    assert f"from {bucket_uri}" in out
    assert cells(remote).num_rows == 2 * 3
    told = prunesweep("run", remote, "--executor", "local", "--no-report")
    assert told[0] == 0, told
    assert cells(remote).equals(cells(local))


@pytest.mark.slow
def test_a_sweep_on_ray_goes_on_after_the_store_was_away(
    prunesweep: Any, tiny: Write, bucket_uri: str, s3: Any
) -> None:
    remote, local = tiny("remote.yaml", store=bucket_uri, **SMALL), tiny("local.yaml", **SMALL)
    assert prunesweep("run", local, "--executor", "local", "--no-report")[0] == 0
    commits = count()

    def away_once(kind: str) -> None:
        if kind == "PUT" and next(commits) == 6:  # what is on its way is still answered
            Thread(target=s3.restart_after, args=(3.0,)).start()

    s3.failure = away_once
    told = prunesweep("run", remote, "--no-report")
    assert told[0] == 0, told
    assert next(commits) > 7
    assert cells(remote).equals(cells(local))


def test_a_store_out_of_reach_is_one_line_and_code_1(
    prunesweep: Any, tiny: Write, bucket_uri: str, s3: Any
) -> None:
    file = tiny(store=bucket_uri.replace("retry_seconds=20", "retry_seconds=0"))
    s3.failure = lambda kind: ("503 Service Unavailable", b"")
    code, out, err = prunesweep("status", file)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "could not be reached for 0 seconds" in err
    assert err.endswith("run the same command again once it answers\n")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://AKIAIOSFODNN7:wJalrXUt@results/a", "store: credentials do not belong in the URI"),
        ("s3://results/a?endpoint=host", "expected endpoint_override, region"),
        ("s3://nowhere/a?endpoint_override=http://{host}", "there is no bucket for the store"),
    ],
)
def test_a_mistake_in_the_uri_is_code_2_and_no_secret_is_shown(
    prunesweep: Any, tiny: Write, s3: Any, uri: str, expected: str
) -> None:
    uri = uri.replace("{host}", f"127.0.0.1:{s3.port}")
    for arguments in ((tiny(store=uri),), (tiny("sound.yaml"), "--set", f"store={uri}")):
        code, out, err = prunesweep("plan", *arguments)
        assert (code, out) == (2, "")
        assert expected in err
        assert "wJalr" not in err
        assert "AKIA" not in err
