import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.execution.frontier import Frontier, expected_epochs
from tests.execution.conftest import make_chain
from workers.contracts import Chain, Checkpoint, Event


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Chain], set[str]]:
    """Draw parents with children, in any order, some parents complete already and not pending."""
    pending, done = [], set()
    for p in range(draw(st.integers(1, 5))):
        parent = make_chain(f"p{p}", epochs=draw(st.integers(1, 9)))
        if draw(st.booleans()):
            pending.append(parent)
        else:
            done.add(parent.name)
        epochs = draw(st.lists(st.integers(1, 9), max_size=4))
        pending += [make_chain(f"p{p}c{c}", parent.name, e) for c, e in enumerate(epochs)]
    return draw(st.permutations(pending)), done


def drain(frontier: Frontier, fails: set[str], slots: int, draw: st.DataObject) -> list[Chain]:
    """Run as an executor with ``slots`` would, ending running chains in any order."""
    started = []
    while True:
        while len(frontier.running) < slots and (chain := frontier.start()):
            started.append(chain)
        if not frontier.running:
            return started
        name = draw.draw(st.sampled_from(sorted(frontier.running)))
        frontier.end(name, "boom" if name in fails else None)


@given(plan=plans(), slots=st.integers(1, 4), data=st.data())
def test_every_chain_ends_once_and_only_heirs_of_failures_are_blocked(
    plan: tuple[list[Chain], set[str]], slots: int, data: st.DataObject
) -> None:
    chains, done = plan
    fails = data.draw(st.sets(st.sampled_from([c.name for c in chains]))) if chains else set()
    events: list[Event] = []
    frontier = Frontier(chains, done, events.append)
    started = [chain.name for chain in drain(frontier, fails, slots, data)]

    heirs = {c.name: c.waits_for[0] for c in chains if fails.intersection(c.waits_for)}
    assert frontier.exhausted
    assert frontier.outcome.blocked == heirs
    assert frontier.outcome.failed == dict.fromkeys(fails - heirs.keys(), "boom")
    assert sorted(started + list(heirs)) == sorted(c.name for c in chains)
    assert sorted(event.chain for event in events) == sorted(c.name for c in chains)


@given(plan=plans(), slots=st.integers(1, 4), data=st.data())
def test_a_chain_starts_only_after_its_parent_finished(
    plan: tuple[list[Chain], set[str]], slots: int, data: st.DataObject
) -> None:
    chains, done = plan
    finished = set(done)
    frontier = Frontier(chains, done, lambda event: finished.add(event.chain))
    running: list[str] = []
    while not frontier.exhausted or running:
        while len(running) < slots and (chain := frontier.start()):
            assert finished.issuperset(chain.waits_for)
            running.append(chain.name)
        running.remove(name := data.draw(st.sampled_from(running)))
        frontier.end(name, None)


def names(frontier: Frontier) -> Sequence[str]:
    return [chain.name for chain in iter(frontier.start, None)]


def test_parents_come_first_then_the_longest_chain() -> None:
    chains = [
        make_chain("short", "done", epochs=2, levels=3),
        make_chain("long", "done", epochs=3, levels=9),
        make_chain("small parent", epochs=1),
        make_chain("big parent", epochs=5),
    ]
    frontier = Frontier(chains, {"done"}, lambda event: None)
    assert names(frontier) == ["big parent", "small parent", "long", "short"]


def test_a_child_starts_as_soon_as_its_own_parent_is_done() -> None:
    chains = [make_chain("a"), make_chain("b"), make_chain("a1", "a"), make_chain("b1", "b")]
    frontier = Frontier(chains, (), lambda event: None)
    assert names(frontier) == ["a", "b"]
    frontier.end("b", None)
    assert names(frontier) == ["b1"]


def compared(name: str, parent: str, separate: str) -> Chain:
    return replace(make_chain(name, parent), waits_for=(parent, separate))


def test_a_compared_chain_waits_for_both_parents() -> None:
    chains = [make_chain("a"), make_chain("b"), compared("a1", "a", "b")]
    frontier = Frontier(chains, (), lambda event: None)
    assert names(frontier) == ["a", "b"]
    frontier.end("a", None)
    assert names(frontier) == []
    frontier.end("b", None)
    assert names(frontier) == ["a1"]


def test_only_the_failure_of_its_own_parent_blocks_a_compared_chain() -> None:
    chains = [make_chain("a"), make_chain("b"), compared("a1", "a", "b"), compared("b1", "b", "a")]
    frontier = Frontier(chains, (), lambda event: None)
    assert names(frontier) == ["a", "b"]
    frontier.end("b", "ValueError: x")
    assert frontier.outcome.blocked == {"b1": "b"}
    frontier.end("a", None)
    assert names(frontier) == ["a1"]
    frontier.end("a1", None)
    assert frontier.exhausted


def test_measures_that_lack_the_other_parent_say_which_failed_and_why() -> None:
    events: list[Event] = []
    chains = [make_chain("a"), replace(make_chain("b"), seed=7), compared("a1", "a", "b")]
    frontier = Frontier(chains, (), events.append)
    assert names(frontier) == ["a", "b"]
    frontier.end("b", "ValueError: x")
    frontier.end("a", None)
    assert names(frontier) == ["a1"]
    frontier.end("a1", "MissingNetworkError: cka compares with the dense network of another seed")
    told = (
        "measures wait for network net, seed 7, which failed: ValueError: x; "
        "all else is done, run again once it works"
    )
    assert frontier.outcome.failed == {"b": "ValueError: x", "a1": told}
    assert events[-1] == Event(chain="a1", kind="failed", detail=told)


def test_another_failure_is_not_put_down_to_the_other_parent() -> None:
    chains = [make_chain("a"), make_chain("b"), compared("a1", "a", "b")]
    frontier = Frontier(chains, (), lambda event: None)
    assert names(frontier) == ["a", "b"]
    frontier.end("b", "ValueError: x")
    frontier.end("a", None)
    assert names(frontier) == ["a1"]
    frontier.end("a1", "OSError: disk full")
    assert frontier.outcome.failed["a1"] == "OSError: disk full"


def test_a_network_that_went_missing_without_a_failure_is_told_as_it_is() -> None:
    frontier = Frontier([compared("a1", "a", "b")], {"a", "b"}, lambda event: None)
    assert names(frontier) == ["a1"]
    frontier.end("a1", "MissingNetworkError: gone")
    assert frontier.outcome.failed == {"a1": "MissingNetworkError: gone"}


def test_a_failure_blocks_indirect_heirs_and_names_itself() -> None:
    events: list[Event] = []
    chains = [make_chain("a"), make_chain("b", "a"), make_chain("c", "b"), make_chain("d")]
    frontier = Frontier(chains, (), events.append)
    frontier.start()
    frontier.end("a", "ValueError: x")
    assert frontier.outcome.blocked == {"b": "a", "c": "a"}
    assert events == [
        Event(chain="a", kind="failed", detail="ValueError: x"),
        Event(chain="b", kind="blocked", detail="a"),
        Event(chain="c", kind="blocked", detail="a"),
    ]
    assert names(frontier) == ["d"]


def test_ten_thousand_chains_pass_through_in_no_time() -> None:
    chains = [make_chain(f"p{p}") for p in range(500)]
    chains += [make_chain(f"p{p}c{c}", f"p{p}") for p in range(500) for c in range(19)]
    frontier = Frontier(chains, (), lambda event: None)
    start = time.process_time()
    ended = 0
    while chain := frontier.start():
        frontier.end(chain.name, None)
        ended += 1
    assert ended == 10_000
    assert time.process_time() - start < 0.5


def test_waiting_for_a_chain_that_is_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="a waits for ghost, which is not in the plan"):
        Frontier([make_chain("a", "ghost")], (), lambda event: None)


def test_expected_epochs() -> None:
    assert expected_epochs(make_chain("parent", epochs=7)) == 7
    assert expected_epochs(make_chain("pruned", "parent", epochs=7, levels=3)) == 21
    rewound = Checkpoint(key="parent-2", epoch=2)
    chain = replace(make_chain("pruned", "parent", epochs=7, levels=3), rewinds_to=rewound)
    assert expected_epochs(chain) == 15
