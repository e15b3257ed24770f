import io
import time
from threading import Thread

import pytest
from rich.console import Console

from orchestrator.execution.progress import Progress
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


def console(terminal: bool) -> Console:
    return Console(
        file=io.StringIO(), record=True, force_terminal=terminal, width=100, color_system=None
    )


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_plain_lines_say_what_was_committed_and_the_time_left(clock: Clock) -> None:
    paper = console(terminal=False)
    with Progress(CHAINS, console=paper, clock=clock) as progress:
        progress.report(Event(chain=DENSE, kind="start"))
        clock.now = 30
        progress.report(Event(chain=DENSE, kind="epoch", done=10, total=10))
        progress.report(Event(chain=DENSE, kind="network"))
        clock.now = 35
        progress.report(Event(chain=DENSE, kind="cells"))
        progress.report(Event(chain=DENSE, kind="finished"))
        progress.report(Event(chain=WT, kind="start"))
        progress.report(Event(chain=WT, kind="retry", detail="OSError: disk"))
        clock.now = 50
        progress.report(Event(chain=WT, kind="network", level=1))
        progress.report(Event(chain=WT, kind="failed", detail="ValueError: nan"))
        progress.report(Event(chain=FT, kind="blocked", detail=WT))
    assert paper.export_text().splitlines() == [
        f"{DENSE}: dense, epoch 10/10  [10/50 epochs, 2 min 00 s left]",
        f"{DENSE}: dense, evaluated  [10/50 epochs, 2 min 20 s left]",
        f"{DENSE}: done  [10/50 epochs, 2 min 20 s left]",
        f"{WT}: trying again after OSError: disk  [10/50 epochs, 2 min 20 s left]",
        f"{WT}: level 1/2, trained  [10/50 epochs, 3 min 20 s left]",
        f"{WT}: failed: ValueError: nan  [10/30 epochs, 1 min 40 s left]",
        f"{FT}: blocked, {WT} failed  [10/10 epochs, 0 s left]",
        "1 done, 1 failed, 1 blocked, 50 s",
    ]


def test_plain_lines_of_epochs_come_once_a_minute(clock: Clock) -> None:
    paper = console(terminal=False)
    progress = Progress([make_chain(DENSE, epochs=90)], console=paper, clock=clock)
    for done in range(1, 31):
        progress.report(Event(chain=DENSE, kind="epoch", done=done, total=90))
        clock.now += 10
    epochs = [line.partition("  [")[0] for line in paper.export_text().splitlines()]
    assert epochs == [f"{DENSE}: dense, epoch {done}/90" for done in (1, 7, 13, 19, 25)]


def test_only_what_is_missing_counts(clock: Clock) -> None:
    paper = console(terminal=False)
    Progress(CHAINS[:1], {DENSE: 4}, console=paper, clock=clock).report(
        Event(chain=DENSE, kind="epoch", done=1, total=4)
    )
    assert "[1/4 epochs" in paper.export_text()


def test_the_table_of_a_terminal(clock: Clock) -> None:
    screen = console(terminal=True)
    with Progress(CHAINS, console=screen, clock=clock) as progress:
        progress.report(Event(chain=DENSE, kind="epoch", done=10, total=10))
        clock.now = 60
        progress.report(Event(chain=DENSE, kind="finished"))
        progress.report(Event(chain=WT, kind="epoch", level=2, done=4, total=10))
        progress.report(Event(chain=FT, kind="failed", detail="ValueError: nan [/x]"))
        table = console(terminal=True)
        table.print(progress.table())
    rows = [row.strip() for row in table.export_text().splitlines()]
    assert rows[0].endswith("14/30 epochs, 1 min 09 s left, 1 min 00 s elapsed")
    assert rows[1] == "chains: 1 done, 1 running, 1 failed"
    assert rows[2].split() == ["chain", "level", "epoch", "state"]
    assert rows[3].split() == [WT, "level", "2/2", "4/10", "training"]
    shown = screen.export_text()
    assert f"{FT}: failed: ValueError: nan [/x]\n" in shown
    assert f"{DENSE}: done" not in shown
    assert shown.endswith("1 done, 1 running, 1 failed, 1 min 00 s\n")


def test_reports_from_many_threads_lose_nothing() -> None:
    screen = console(terminal=True)
    chains = [make_chain(f"net/s{s}/dense", epochs=100) for s in range(8)]
    with Progress(chains, console=screen) as progress:

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


def test_a_report_is_cheap() -> None:
    progress = Progress([make_chain(DENSE, epochs=10**6)], console=console(terminal=True))
    start = time.perf_counter()
    for done in range(2000):
        progress.report(Event(chain=DENSE, kind="epoch", done=done, total=10**6))
    assert (time.perf_counter() - start) / 2000 < 1e-3


def test_an_interrupt_gives_the_terminal_back(clock: Clock) -> None:
    screen = console(terminal=True)

    def run() -> None:
        with Progress(CHAINS, console=screen, clock=clock) as progress:
            progress.report(Event(chain=DENSE, kind="start"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert screen.export_text().endswith("0 done, 1 running, 2 waiting, 0 s\n")
