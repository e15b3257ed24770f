"""Runs the pending chains of a sweep: the executor protocol, and an executor without a cluster.

What an executor holds in memory may be lost at any time: only the store knows what is complete.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from orchestrator.execution.frontier import Frontier, Outcome
from workers.contracts import Chain, Event, PermanentError, Report, Runtime, TaskCell

Trial = Callable[[Chain, Sequence[TaskCell], Report], None]
"""Walks one chain to its end and tells events; called again for the same chain after a failure."""

EPOCH_SECONDS = 1.0
"""What ``throttled`` keeps between the epochs, and the evaluations, that it lets through."""


class Executor(Protocol):
    """Something that runs chains."""

    def run(
        self,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        done: Collection[str],
        report: Report,
    ) -> Outcome:
        """Run every chain of ``chains`` once what it waits for is complete.

        Args:
            chains: what is pending.
            tasks: what every network is evaluated on.
            done: names of the chains that are complete already.
            report: is told every event, always from one thread at a time.

        Raises:
            KeyboardInterrupt: the user stopped the run; nothing that was committed is lost.

        """
        ...


@dataclass(frozen=True)
class StoreTrial:
    """The trial of a real sweep: runs the workers against the store at ``location``.

    ``search_path`` are the folders that the sweep's own plug-ins may lie in, here as in any process
    that the trial is sent to.
    """

    location: str | Path
    runtime: Runtime
    search_path: tuple[str, ...] = ()

    def __call__(self, chain: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
        """Walk ``chain``, skipping what is committed."""
        from orchestrator.search_path import extend_search_path
        from orchestrator.store import Store
        from workers.run import release, run_chain

        extend_search_path(self.search_path)
        try:
            run_chain(chain, tasks, Store(self.location), self.runtime, report)
        finally:
            release()

    def need(self, chain: Chain, tasks: Sequence[TaskCell]) -> float:
        """Say, on a GPU, what fraction of its memory ``chain`` needs, tested on ``tasks``."""
        from orchestrator.search_path import extend_search_path
        from workers.probe import memory_share

        extend_search_path(self.search_path)
        return memory_share(chain, tasks, self.runtime)


@dataclass(frozen=True)
class LocalExecutor:
    """Runs one chain after the other in this process."""

    trial: Trial
    retries: int = 2

    def run(
        self,
        chains: Sequence[Chain],
        tasks: Sequence[TaskCell],
        done: Collection[str],
        report: Report,
    ) -> Outcome:
        """Run every chain; see ``Executor.run``."""
        frontier = Frontier(chains, done, report)
        with sigterm_interrupts():
            while chain := frontier.start():
                frontier.end(chain.name, self._attempt(chain, tasks, report))
        return frontier.outcome

    def _attempt(self, chain: Chain, tasks: Sequence[TaskCell], report: Report) -> str | None:
        left = self.retries
        while True:
            report(Event(chain=chain.name, kind="start"))
            try:
                self.trial(chain, tasks, report)
                return None
            except Exception as error:
                cause = cause_of(error)
                if isinstance(error, PermanentError) or not left:
                    return cause
            left -= 1
            report(Event(chain=chain.name, kind="retry", detail=cause))


def cause_of(error: BaseException) -> str:
    """Name the type of ``error``, with the first line of its message."""
    message = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def throttled(report: Report, clock: Callable[[], float] = time.monotonic) -> Report:
    """Drop what is half done less than ``EPOCH_SECONDS`` after the last event."""
    last = -EPOCH_SECONDS

    def pass_on(event: Event) -> None:
        nonlocal last
        if event.done < event.total and clock() - last < EPOCH_SECONDS:
            return
        last = clock()
        report(event)

    return pass_on


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM do what Ctrl-C does, as far as this thread can arrange it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
