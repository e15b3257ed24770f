"""The progress of a run as JSON."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.execution.log import JsonProgress, progress_of
from orchestrator.execution.progress import Progress
from orchestrator.plan.to_do import Work
from tests.execution.conftest import make_chain
from workers.contracts import Event

DENSE, WT = "net/s0/dense", "net/s0/wt/cascade"
CHAINS = [make_chain(DENSE, epochs=10), make_chain(WT, DENSE, epochs=10, levels=2)]
EPOCH = Work(kind="epochs", network="net", passes=300.0)
TO_DO = {DENSE: {EPOCH: 10}, WT: {EPOCH: 20}}
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def time(self) -> datetime:
        return NOON + timedelta(seconds=self.now)


def test_every_event_is_one_line_of_json() -> None:
    clock, paper = Clock(), io.StringIO()
    with JsonProgress("mine", CHAINS, TO_DO, stream=paper, clock=clock, now=clock.time) as progress:
        progress.report(Event(chain=DENSE, kind="start"))
        progress.report(Event(chain=DENSE, kind="epoch", done=0, total=10))
        clock.now = 30.0
        progress.report(Event(chain=DENSE, kind="epoch", done=10, total=10))
        progress.report(Event(chain=DENSE, kind="finished"))
        progress.report(Event(chain=WT, kind="start"))
        progress.report(Event(chain=WT, kind="retry", detail="OSError: disk\nfull"))
        clock.now = 90.25
        progress.report(Event(chain=WT, kind="failed", level=2, detail="ValueError: 'ä'"))
        assert progress.numbers().chains["failed"] == 1
    assert paper.getvalue().splitlines() == [
        '{"time": "2026-05-04T12:00:00.000+00:00", "level": "info", "sweep": "mine",'
        ' "chain": "net/s0/dense", "prune_level": 0, "kind": "start", "done": 0, "total": 0,'
        ' "detail": "", "share": 0.0, "seconds_left": null}',
        '{"time": "2026-05-04T12:00:00.000+00:00", "level": "info", "sweep": "mine",'
        ' "chain": "net/s0/dense", "prune_level": 0, "kind": "epoch", "done": 0, "total": 10,'
        ' "detail": "", "share": 0.0, "seconds_left": null}',
        '{"time": "2026-05-04T12:00:30.000+00:00", "level": "info", "sweep": "mine",'
        ' "chain": "net/s0/dense", "prune_level": 0, "kind": "epoch", "done": 10, "total": 10,'
        ' "detail": "", "share": 0.3333, "seconds_left": 60.0}',
        '{"time": "2026-05-04T12:00:30.000+00:00", "level": "info", "sweep": "mine",'
        ' "chain": "net/s0/dense", "prune_level": 0, "kind": "finished", "done": 0, "total": 0,'
        ' "detail": "", "share": 0.3333, "seconds_left": 60.0}',
        '{"time": "2026-05-04T12:00:30.000+00:00", "level": "info", "sweep": "mine",'
        ' "chain": "net/s0/wt/cascade", "prune_level": 0, "kind": "start", "done": 0, "total": 0,'
        ' "detail": "", "share": 0.3333, "seconds_left": 60.0}',
        '{"time": "2026-05-04T12:00:30.000+00:00", "level": "warning", "sweep": "mine",'
        ' "chain": "net/s0/wt/cascade", "prune_level": 0, "kind": "retry", "done": 0, "total": 0,'
        ' "detail": "OSError: disk\\nfull", "share": 0.3333, "seconds_left": 60.0}',
        '{"time": "2026-05-04T12:01:30.250+00:00", "level": "error", "sweep": "mine",'
        ' "chain": "net/s0/wt/cascade", "prune_level": 2, "kind": "failed", "done": 0, "total": 0,'
        ' "detail": "ValueError: \'\\u00e4\'", "share": 1.0, "seconds_left": 0.0}',
        '{"time": "2026-05-04T12:01:30.250+00:00", "level": "error", "sweep": "mine",'
        ' "kind": "end", "chains": {"waiting": 0, "running": 0, "done": 1, "failed": 1,'
        ' "blocked": 0}, "seconds": 90.25}',
    ]


def test_an_interrupted_run_ends_with_an_error() -> None:
    paper = io.StringIO()
    with pytest.raises(KeyboardInterrupt), JsonProgress("mine", CHAINS, TO_DO, stream=paper):
        raise KeyboardInterrupt
    end = json.loads(paper.getvalue())
    assert (end["level"], end["chains"]["waiting"]) == ("error", 2)


@pytest.mark.parametrize(
    ("value", "kind"), [("json", JsonProgress), ("JSON", JsonProgress), ("", Progress)]
)
def test_the_environment_chooses(
    monkeypatch: pytest.MonkeyPatch, value: str, kind: type[object]
) -> None:
    monkeypatch.setenv("PRUNESWEEP_LOG", value)
    assert type(progress_of("mine", CHAINS, TO_DO)) is kind
