"""``drive``: what a run leaves behind besides the networks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.execution import driver
from orchestrator.execution.assembly import runtime
from orchestrator.execution.driver import Driven, drive
from orchestrator.execution.frontier import Outcome
from orchestrator.execution.outcome import read_outcome, write_outcome
from orchestrator.sweep import Sweep, open_sweep
from orchestrator.tracking import Tracker
from workers.contracts import Chain, Event, Report, TaskCell

Write = Callable[..., Path]


class Scripted:
    """An executor that makes nothing: it tells that a chain starts and that one fails."""

    def __init__(self, then: Callable[[], Outcome]) -> None:
        self.then = then

    def run(
        self,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        done: Collection[str],
        report: Report,
    ) -> Outcome:
        report(Event(chain=chains[0].name, kind="start"))
        report(Event(chain=chains[-1].name, kind="failed", detail="OSError: new"))
        return self.then()


@pytest.fixture
def sweep(tiny: Write, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return open_sweep(tiny(seeds=[0], methods=["wt"]))


def script(monkeypatch: pytest.MonkeyPatch, then: Callable[[], Outcome]) -> None:
    monkeypatch.setattr(driver, "make_executor", lambda *_: Scripted(then))


@pytest.mark.parametrize(
    ("device", "gpus", "chosen"),
    [("auto", 0.0, "cpu"), ("auto", 0.5, "auto"), ("cuda", 0.0, "cuda"), ("cpu", 1.0, "cpu")],
)
def test_auto_is_the_cpu_for_chains_without_gpus(
    tiny: Write, device: str, gpus: float, chosen: str
) -> None:
    sweep = open_sweep(tiny(resources={"device": device, "gpus": gpus}))
    assert runtime(sweep).device == chosen


def test_an_interrupted_run_keeps_its_causes_and_forgets_those_of_the_one_before(
    sweep: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> Outcome:
        raise KeyboardInterrupt

    script(monkeypatch, interrupt)
    write_outcome(sweep.store, "tiny", Outcome(failed={sweep.plan.chains[0].name: "OSError"}))
    (tmp_path / "file").touch()
    with pytest.raises(KeyboardInterrupt):
        drive(sweep, "local", f"sqlite:///{tmp_path}/file/mlflow.db")
    assert read_outcome(sweep.store, "tiny") == Outcome(
        {sweep.plan.chains[-1].name: "OSError: new"}
    )


def test_a_run_tells_that_mlflow_cannot_be_written(
    sweep: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").touch()
    failed = Outcome(failed={sweep.plan.chains[0].name: "OSError"})
    script(monkeypatch, lambda: failed)
    driven = drive(sweep, "local", f"sqlite:///{tmp_path}/file/mlflow.db")
    assert driven == Driven(failed, published=False)
    assert read_outcome(sweep.store, "tiny") == failed
    assert "catch up with: prunesweep publish" in capsys.readouterr().err


def test_with_nothing_to_do_mlflow_is_published_once(
    sweep: Sweep,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    complete = replace(sweep.state(), chains=())
    monkeypatch.setattr(Sweep, "state", lambda _: complete)
    published: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(Tracker, "publish", lambda *told: published.append(told[1:]))
        assert drive(sweep, "local", None) == Driven(Outcome(), published=True)
    assert published == [()]
    (tmp_path / "file").touch()
    driven = drive(sweep, "local", f"sqlite:///{tmp_path}/file/mlflow.db")
    assert driven == Driven(Outcome(), published=False)
    assert "catch up with: prunesweep publish" in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_without_mlflow_ends_with_its_report(
    tiny: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tiny(seeds=[0], methods=["wt"])
    (tmp_path / "file").touch()
    uri = f"sqlite:///{tmp_path}/file/mlflow.db"
    with pytest.raises(SystemExit) as ended:
        main(["run", str(file), "--executor", "local", "--tracking-uri", uri])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert "report: " in told.out
    assert told.err.count("catch up with: ") == 1
    assert "Traceback" not in told.err
