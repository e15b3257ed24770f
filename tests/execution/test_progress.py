import io
import sys
from threading import Thread

import pytest
from rich.console import Console

from orchestrator.execution.progress import Progress
from orchestrator.plan.to_do import Work
from tests.execution.conftest import make_chain
from workers.contracts import Chain, Event


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


DENSE, WT, FT = "net/s0/dense", "net/s0/wt/cascade", "net/s0/ft/cascade"
CHAINS = [
    make_chain(DENSE, epochs=10),
    *(make_chain(name, DENSE, epochs=10, levels=2) for name in (WT, FT)),
]


# A pass takes 10 ms: 3 s for an epoch, 1 s for a cell, 10 s for the measure; 3 minutes in all.
EPOCH = Work(kind="epochs", network="net", passes=300.0)
CELL = Work(kind="cells", network="net", passes=100.0)
CKA = Work(kind="measures", network="net", passes=1000.0, label="cka")
TO_DO = {DENSE: {EPOCH: 10, CELL: 2}} | {name: {EPOCH: 20, CELL: 4, CKA: 1} for name in (WT, FT)}


def console(terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), record=True, force_terminal=terminal, width=100, color_system=None
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_plain_lines_say_what_was_committed_and_the_time_left(clock: Clock) -> None:
    paper = console(terminal=False)
    with Progress(CHAINS, TO_DO, console=paper, clock=clock) as progress:

        def tell(chain: str, kind: str, after: float = 0, **fields: object) -> None:
            clock.now += after
            progress.report(Event(chain=chain, kind=kind, **fields))  # type: ignore[arg-type]

        tell(DENSE, "start")
        tell(DENSE, "epoch", done=0, total=10)
        tell(DENSE, "epoch", after=30, done=10, total=10)
        tell(DENSE, "network")
        tell(DENSE, "cells", after=1, done=1, total=2)
        tell(DENSE, "cells", after=1, done=2, total=2)
        tell(DENSE, "finished")
        tell(WT, "start")
        tell(WT, "retry", detail="OSError: disk")
        tell(WT, "epoch", after=30, done=10, total=10, level=1)
        tell(WT, "network", level=1)
        tell(WT, "cells", after=2, done=2, total=2, level=1)
        tell(WT, "failed", detail="ValueError: nan")
        tell(FT, "blocked", detail=WT)
    assert paper.export_text().splitlines() == [
        f"{DENSE}: dense, epoch 10/10  "
        "[16 %, 10/50 epochs, 0/10 cells, 0/2 measures, 2 min 30 s left]",
        f"{DENSE}: dense, evaluated  "
        "[17 %, 10/50 epochs, 2/10 cells, 0/2 measures, 2 min 28 s left]",
        f"{DENSE}: done  [17 %, 10/50 epochs, 2/10 cells, 0/2 measures, 2 min 28 s left]",
        f"{WT}: trying again after OSError: disk  "
        "[17 %, 10/50 epochs, 2/10 cells, 0/2 measures, 2 min 28 s left]",
        f"{WT}: level 1/2, trained  "
        "[34 %, 20/50 epochs, 2/10 cells, 0/2 measures, 1 min 58 s left]",
        f"{WT}: level 1/2, evaluated  "
        "[35 %, 20/50 epochs, 4/10 cells, 0/2 measures, 1 min 56 s left]",
        f"{WT}: failed: ValueError: nan  "
        "[46 %, 20/40 epochs, 4/8 cells, 0/1 measures, 1 min 14 s left]",
        f"{FT}: blocked, {WT} failed  [100 %, 20/20 epochs, 4/4 cells]",
        "1 done, 1 failed, 1 blocked, 1 min 04 s",
    ]


def test_there_is_time_left_until_all_is_done(clock: Clock) -> None:
    paper = console(terminal=False)
    with Progress(CHAINS[:1], {DENSE: {EPOCH: 1, CELL: 2}}, console=paper, clock=clock) as progress:
        progress.report(Event(chain=DENSE, kind="start"))
        clock.now = 0.03  # by its passes, the rest takes 0.02 s
        progress.report(Event(chain=DENSE, kind="epoch", done=1, total=1))
        clock.now = 3
        progress.report(Event(chain=DENSE, kind="finished"))
    assert paper.export_text().splitlines() == [
        f"{DENSE}: dense, epoch 1/1  [60 %, 1/1 epochs, 0/2 cells, 1 s left]",
        f"{DENSE}: done  [100 %, 1/1 epochs, 2/2 cells]",
        "1 done, 3 s",
    ]


@pytest.mark.parametrize(("kind", "says"), [("epoch", "epoch"), ("cells", "cell")])
def test_plain_lines_of_what_is_half_done_come_once_a_minute(
    clock: Clock, kind: str, says: str
) -> None:
    paper = console(terminal=False)
    progress = Progress(CHAINS[:1], {DENSE: {EPOCH: 90, CELL: 90}}, console=paper, clock=clock)
    for done in range(1, 31):
        event = Event(chain=DENSE, kind=kind, done=done, total=90)  # type: ignore[arg-type]
        progress.report(event)
        clock.now += 10
    lines = [line.partition("  [")[0] for line in paper.export_text().splitlines()]
    assert lines == [f"{DENSE}: dense, {says} {done}/90" for done in (1, 7, 13, 19, 25)]


def test_the_table_of_a_terminal(clock: Clock) -> None:
    screen = console(terminal=True)
    with Progress(CHAINS, TO_DO, console=screen, clock=clock) as progress:
        progress.report(Event(chain=DENSE, kind="start"))
        clock.now = 30
        progress.report(Event(chain=DENSE, kind="epoch", done=10, total=10))
        progress.report(Event(chain=DENSE, kind="network"))
        clock.now = 32
        progress.report(Event(chain=DENSE, kind="finished"))
        progress.report(Event(chain=WT, kind="start"))
        clock.now = 44
        progress.report(Event(chain=WT, kind="epoch", level=2, done=4, total=10))
        progress.report(Event(chain=FT, kind="failed", detail="ValueError: nan [/x]"))
        table = console(terminal=True)
        table.print(progress.table())
    rows = [row.strip() for row in table.export_text().splitlines()]
    assert rows[0].endswith("41 %, 1 min 02 s left, 44 s elapsed")
    assert rows[1:5] == [
        "chains    1 done, 1 running, 1 failed",
        "epochs    14/30",
        "cells     2/6",
        "measures  0/1",
    ]
    assert rows[5].split() == ["chain", "level", "state", "done"]
    assert rows[6].split() == [WT, "level", "2/2", "training", "4/10"]
    shown = screen.export_text()
    assert f"{FT}: failed: ValueError: nan [/x]\n" in shown
    assert f"{DENSE}: done" not in shown
    assert shown.endswith("1 done, 1 running, 1 failed, 44 s\n")


def test_reports_from_many_threads_lose_nothing() -> None:
    screen = console(terminal=True)
    chains = [make_chain(f"net/s{s}/dense", epochs=100) for s in range(8)]
    to_do = {chain.name: {EPOCH: 100} for chain in chains}
    with Progress(chains, to_do, console=screen) as progress:

        def trial(chain: Chain) -> None:
            for done in range(1, 101):
                progress.report(Event(chain=chain.name, kind="epoch", done=done, total=100))
            progress.report(Event(chain=chain.name, kind="retry", detail="x"))
            progress.report(Event(chain=chain.name, kind="finished"))

        threads = [Thread(target=trial, args=(chain,)) for chain in chains]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
    assert screen.export_text().splitlines()[-1].startswith("8 done, ")


def calls_of_a_report(chains: int) -> int:
    """Count the function calls of one report of an epoch, in a run of so many chains."""
    names = [f"net/s{seed}/dense" for seed in range(chains)]
    progress = Progress(
        [make_chain(name) for name in names],
        {name: {EPOCH: 10} for name in names},
        console=console(terminal=True),
    )
    progress.report(Event(chain=names[0], kind="start"))
    calls: list[str] = []
    sys.setprofile(lambda frame, event, _: calls.append(event) if event == "call" else None)
    try:
        progress.report(Event(chain=names[0], kind="epoch", done=1, total=10))
    finally:
        sys.setprofile(None)
    return len(calls)


def test_a_report_costs_the_same_however_many_chains_there_are() -> None:
    assert calls_of_a_report(1000) == calls_of_a_report(1) < 100


def test_an_interrupt_gives_the_terminal_back(clock: Clock) -> None:
    screen = console(terminal=True)

    def run() -> None:
        with Progress(CHAINS, TO_DO, console=screen, clock=clock) as progress:
            progress.report(Event(chain=DENSE, kind="start"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert screen.export_text().endswith("0 done, 1 running, 2 waiting, 0 s\n")
