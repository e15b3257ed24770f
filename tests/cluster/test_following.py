"""Following a log through connections that break, and waiting for a bounded time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cluster import following, waiting
from orchestrator.cluster.errors import ClusterError, ClusterSilentError
from orchestrator.cluster.following import Tail, follow
from orchestrator.cluster.job import Job
from orchestrator.cluster.waiting import persist, wait_for

RUNNING = Job("prunesweep-a-1", "RUNNING", "", "", 0.0, "node")


@pytest.fixture(autouse=True, scope="module")
def _no_time() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(waiting, "PAUSE", 0.0)
        patch.setattr(waiting, "PATIENCE", 0.2)
        patch.setattr(following, "PAUSE", 0.0)
        patch.setattr(following, "QUIET", 0.01)
        yield


async def chunks(*texts: str, then: Exception | None = None) -> AsyncIterator[str]:
    for text in texts:
        yield text
    if then:
        raise then


async def silence() -> AsyncIterator[str]:
    import asyncio

    await asyncio.sleep(3600)
    yield ""


@dataclass
class Cluster:
    """Stands for ``Jobs``: each connection to the log gives some of it, and then breaks."""

    log_text: str
    connections: list[int]
    misses: list[bool] = field(default_factory=list)
    dead: bool = False

    def _miss(self) -> None:
        if self.misses and self.misses.pop():
            raise ClusterSilentError("no answer")

    def get(self, submission_id: str) -> Job:
        assert submission_id == RUNNING.id
        self._miss()
        return RUNNING if self.connections else replace(RUNNING, status="SUCCEEDED")

    def log(self, job: Job) -> str:
        self._miss()
        return self.log_text

    def last_lines(self, job: Job, count: int) -> list[str]:
        return self.log_text.splitlines()[-count:]

    def tail(self, job: Job, skip: int) -> Tail:
        upto = self.connections.pop(0)
        if self.dead:
            return Tail(silence(), skip)
        pieces = [self.log_text[at : min(at + 3, upto)] for at in range(0, upto, 3)]
        return Tail(chunks(*pieces, then=ConnectionResetError()), skip)


@given(
    text=st.text(alphabet="ab\n", max_size=40),
    connections=st.lists(st.integers(0, 40), max_size=5),
    misses=st.lists(st.booleans(), max_size=12),
)
def test_every_character_is_shown_once(
    text: str, connections: list[int], misses: list[bool]
) -> None:
    shown: list[str] = []
    cluster = Cluster(text, sorted(min(at, len(text)) for at in connections), misses)
    ended = follow(cluster, RUNNING, shown.append)  # type: ignore[arg-type]
    assert "".join(shown) == text
    assert ended.status == "SUCCEEDED"


def test_a_connection_that_is_dead_is_left() -> None:
    shown: list[str] = []
    cluster = Cluster("never told\n", [0], dead=True)
    assert follow(cluster, RUNNING, shown.append).status == "SUCCEEDED"  # type: ignore[arg-type]
    assert "".join(shown) == "never told\n"


@dataclass
class Beginning(Cluster):
    """The job is connected to before it has a driver, and over once the connection is doubted."""

    looks: int = 0

    def get(self, submission_id: str) -> Job:
        self.looks += 1
        if self.looks == 1:
            return replace(RUNNING, status="PENDING", node="")
        return replace(RUNNING, status="RUNNING" if self.looks == 2 else "FAILED")

    def last_lines(self, job: Job, count: int) -> list[str]:
        return super().last_lines(job, count) if job.node else []


@pytest.mark.parametrize(("log", "looks"), [("told meanwhile\n", 3), ("", 4)])
def test_a_connection_that_died_before_there_was_a_driver_is_left(log: str, looks: int) -> None:
    shown: list[str] = []
    cluster = Beginning(log, [0], dead=True)
    ended = follow(cluster, RUNNING, shown.append)  # type: ignore[arg-type]
    assert (ended.status, "".join(shown), cluster.looks) == ("FAILED", log, looks)


def test_a_cluster_that_stays_silent_is_left_in_the_end() -> None:
    cluster = Cluster("", [], [True] * 1_000_000)
    with pytest.raises(ClusterSilentError, match="no answer"):
        follow(cluster, RUNNING, print)  # type: ignore[arg-type]


def test_a_log_that_says_nothing_new_is_waited_for() -> None:
    with Tail(silence(), 0) as tail:
        assert [tail.read(0.01), tail.read(0.01)] == ["", ""]
    with Tail(chunks("abc", "def", "g"), 4) as tail:
        assert [tail.read(1), tail.read(1), tail.read(1)] == ["ef", "g", None]


def fails(*errors: ClusterError) -> Callable[[], str]:
    left = list(errors)

    def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return attempt


def test_what_passes_is_tried_again_and_nothing_else() -> None:
    busy, refused = ClusterError("busy"), ClusterError("refused")
    assert persist(fails(busy, busy), lambda error: error is busy, 60) == "done"
    with pytest.raises(ClusterError, match="refused"):
        persist(fails(busy, refused), lambda error: error is busy, 60)
    with pytest.raises(ClusterError, match="busy"):
        persist(fails(busy), lambda error: error is busy, -1)


def test_the_first_answer_is_waited_for() -> None:
    answers = iter([None, None, 0, 1])
    assert wait_for(lambda: next(answers), 60) == 0
    assert wait_for(lambda: None, 0.01) is None
