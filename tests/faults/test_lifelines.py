"""What a driver does without its head or its raylet: it is abandoned once, after its patience."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import count
from threading import Event, Thread

import pytest

from orchestrator.cluster import lifelines
from orchestrator.cluster.errors import ClusterLostError
from orchestrator.cluster.lifelines import Lifeline, watch


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifelines, "BETWEEN", 0.01)


def line(listener: socket.socket, patience: float) -> Lifeline:
    return Lifeline("the head", f"127.0.0.1:{listener.getsockname()[1]}", patience)


def test_what_does_not_answer_for_its_patience_is_lost(listener: socket.socket) -> None:
    head, lost, now = line(listener, 20), [], iter([0.0, 10.0, 20.0, 21.0])
    listener.close()
    watch([head], lost.append, Event(), lambda: next(now))
    (error,) = lost
    assert isinstance(error, ClusterLostError)
    assert str(error) == (
        f"the head at {head.address} is gone, it has not answered for 20 s: what was committed is "
        "kept; once Ray is up again, run the same command"
    )
    assert list(now) == []


def test_what_answers_is_watched_until_the_end(listener: socket.socket) -> None:
    over, lost, looks = Event(), [], []

    def clock() -> float:
        looks.append(None)
        if len(looks) == 5:
            over.set()
        return 1000.0 * len(looks)

    watch([line(listener, 1)], lost.append, over, clock)
    assert (len(looks), lost) == (5, [])


def test_the_watch_ends_with_the_run(listener: socket.socket) -> None:
    over = Event()
    thread = Thread(target=watch, args=([line(listener, 1)], pytest.fail, over))
    thread.start()
    over.set()
    thread.join(5)
    assert not thread.is_alive()


def test_one_look_in_vain_is_not_enough(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([True, False, True])
    over = Event()
    lost: list[ClusterLostError] = []

    def answer(address: str) -> bool:
        found = next(answers, None)
        if found is None:
            over.set()
        return found is not False

    monkeypatch.setattr(lifelines, "_answers", answer)
    late = count(0.0, 10.0)
    watch([line(listener, 2)], lost.append, over, lambda: next(late))
    assert lost == []
