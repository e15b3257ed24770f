from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.execution.duration import duration
from orchestrator.execution.pace import Pace
from orchestrator.execution.trial_state import TrialState
from orchestrator.plan.to_do import Kind, Work
from workers.contracts import Event

EPOCH = Work(kind="epochs", network="net", passes=1000.0)
NETWORK = Work(kind="networks", network="net", passes=100.0)
CELL = Work(kind="cells", network="net", passes=50.0)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Run:
    """A run that is told what happens, each event so many seconds after the one before."""

    def __init__(self, **to_do: Mapping[Work, int]) -> None:
        self.clock = Clock()
        self.pace = Pace(to_do, self.clock)

    def __call__(self, kind: str, after: float = 0.0, chain: str = "a", **fields: object) -> None:
        self.clock.now += after
        self.pace.note(Event(chain=chain, kind=kind, **fields))  # type: ignore[arg-type]

    def epoch(self, done: int, after: float = 0.0, chain: str = "a", level: int = 0) -> None:
        self("epoch", after, chain, level=level, done=done, total=10)

    def cells(self, done: int, total: int, after: float = 0.0, level: int = 0) -> None:
        self("cells", after, level=level, done=done, total=total)


def measure(label: str, network: str = "net", passes: float = 10.0) -> Work:
    return Work(kind="measures", network=network, passes=passes, label=label)


def test_every_kind_of_work_goes_on_at_its_own_speed() -> None:
    run = Run(a={EPOCH: 10, CELL: 30})
    run("start", after=7)  # nothing runs before: no part of any speed
    for done in range(1, 11):
        run.epoch(done, after=2)
    run.cells(25, 30, after=12.5)
    assert run.pace.done == {"epochs": 10, "cells": 25}
    assert run.pace.total == {"epochs": 10, "cells": 30}
    assert run.pace.left == 5 * 0.5
    assert run.pace.share == pytest.approx(32.5 / 35)
    assert run.pace.elapsed == 7 + 32.5


def test_what_was_never_measured_is_judged_by_the_weights_of_the_plan() -> None:
    run = Run(a={EPOCH: 10, CELL: 30, measure("cka", passes=4000): 1})
    run("start")
    run.epoch(5, after=10)  # 2 s for 1,000 passes
    assert run.pace.left == 5 * 2 + 30 * 0.1 + 8
    run.epoch(10, after=10)
    run.cells(15, 30, after=30)  # a kind that was measured is judged by itself alone
    # Of all 10,750 passes, which took 50 s, the measure's 4,000 take their share.
    assert run.pace.left == pytest.approx(15 * 2 + 4000 * 50 / 10_750)


def test_a_network_that_was_never_measured_is_as_fast_for_its_passes_as_the_others() -> None:
    wide = Work(kind="epochs", network="wide", passes=3000.0)
    run = Run(a={EPOCH: 10}, b={wide: 10})
    run("start")
    run.epoch(10, after=20)
    run("finished")
    assert run.pace.left == 10 * 6
    run("start", chain="b")
    run.epoch(1, after=4, chain="b")
    assert run.pace.left == 9 * 4


def test_a_measure_is_known_by_its_label() -> None:
    run = Run(a={measure("cka"): 1, measure("svcca"): 1}, b={measure("cka"): 1})
    run("start")
    run("measure", after=6, detail="cka")
    assert (run.pace.done["measures"], run.pace.total["measures"]) == (1, 3)
    run("measure", after=2, detail="svcca")
    assert run.pace.left == 6


def test_to_start_a_process_is_no_part_of_any_speed() -> None:
    run = Run(a={EPOCH: 10, NETWORK: 2})
    run("start")
    run.epoch(0, after=20)
    assert run.pace.left is None
    run.epoch(10, after=5)
    assert run.pace.left == 2 * 0.05


def test_pruning_counts_for_the_networks() -> None:
    run = Run(a={EPOCH: 20, NETWORK: 2, CELL: 2})
    run("start")
    run.epoch(10, after=10, level=1)
    run("network", after=1, level=1)
    run.cells(1, 1, after=3, level=1)
    run.epoch(0, after=4, level=2)
    run.epoch(5, after=5, level=2)
    # 5 s for the network that was pruned and committed, and for the pruning of the other.
    assert run.pace.left == 5 * 1 + 5 + 3


def test_chains_at_once_share_what_is_left() -> None:
    run = Run(**{name: {EPOCH: 10} for name in "abcd"})
    run("start", chain="a")
    run("start", chain="b")
    run.epoch(5, after=10, chain="a")
    run.epoch(5, chain="b")
    assert run.pace.left == 30 * 2 / 2
    run.epoch(10, after=10, chain="a")
    run("finished", chain="a")
    run("finished", chain="b")
    assert run.pace.left == 20 * 2 / 2


def test_no_chain_outruns_itself() -> None:
    run = Run(a={EPOCH: 10}, b={EPOCH: 1})
    run("start", chain="a")
    run("start", chain="b")
    run.epoch(1, after=2, chain="a")
    run("finished", chain="b")
    assert run.pace.left == 9 * 2


def test_the_first_epochs_say_nothing_about_a_long_run() -> None:
    run = Run(a={EPOCH: 1000})
    run("start")
    run.epoch(2, after=10)
    assert run.pace.left is None
    run.clock.now += 20
    assert run.pace.left == 998 * 5


def test_what_somebody_else_did_is_done_but_not_measured() -> None:
    run = Run(a={EPOCH: 10}, b={EPOCH: 10})
    run("start")
    run.epoch(5, after=5)
    run("finished")
    assert (run.pace.done["epochs"], run.pace.total["epochs"]) == (10, 20)
    assert run.pace.left == 10


def test_what_a_failure_leaves_undone_no_longer_counts() -> None:
    run = Run(a={EPOCH: 10, CELL: 3}, b={EPOCH: 40}, c={EPOCH: 10})
    run.epoch(3)
    run("failed")
    run("blocked", chain="b")
    assert run.pace.done == {"epochs": 3, "cells": 0}
    assert run.pace.total == {"epochs": 13, "cells": 0}
    assert run.pace.waiting == 1
    assert run.pace.ended == {"failed": 1, "blocked": 1}


def test_a_retry_trains_again_from_its_checkpoint() -> None:
    run = Run(a={EPOCH: 10})
    run("start")
    run.epoch(8)
    run("retry")
    assert run.pace.running["a"].state == "trying again"
    run.epoch(4, after=12)
    assert run.pace.done["epochs"] == 4
    run.epoch(8)
    assert run.pace.left == 2  # 12 epochs were trained in 12 s


def test_a_running_trial_shows_what_it_does() -> None:
    run = Run(a={EPOCH: 20, CELL: 4, measure("cka"): 1})
    run("start")
    assert run.pace.running == {"a": TrialState(state="starting")}
    run.epoch(4, level=1)
    assert run.pace.running["a"] == TrialState(1, 4, 10, "training")
    run("network", level=1)
    assert run.pace.running["a"] == TrialState(1, 0, 0, "evaluating")
    run.cells(1, 2, level=1)
    assert run.pace.running["a"] == TrialState(1, 1, 2, "evaluating")
    run.cells(2, 2, level=1)
    assert run.pace.running["a"] == TrialState(1, 0, 0, "pruning")
    run.epoch(10, level=1)
    run.epoch(10, level=2)
    run.cells(2, 2, level=2)
    assert run.pace.running["a"] == TrialState(2, 0, 0, "measuring")
    run("finished")
    assert not run.pace.running


LEVELS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 6)), min_size=1, max_size=4)


@given(LEVELS, st.sampled_from([0.25, 1.0, 8.0]))
def test_time_left_falls_with_all_that_is_done_and_is_right(
    levels: list[tuple[int, int]], second: float
) -> None:
    """A pass takes the same time whatever it is for: then what is left is known from the start."""
    epochs, cells = (sum(counts) for counts in zip(*levels, strict=True))
    run = Run(a={EPOCH: epochs, NETWORK: len(levels), CELL: cells})
    run("start")
    left = epochs * 1000 + len(levels) * 100 + cells * 50.0
    told = []
    for level, (train, test) in enumerate(levels):
        steps = [("epoch", 1000, done, train) for done in range(1, train + 1)]
        steps += [("network", 100, 0, 0)]
        steps += [("cells", 50, done, test) for done in range(1, test + 1)]
        for kind, passes, done, total in steps:
            run(kind, after=passes * second, level=level, done=done, total=total)
            left -= passes
            told.append(run.pace.left)
            assert told[-1] == pytest.approx(left * second)
            assert (told[-1] == 0) == (left == 0)
    assert all(after < before for before, after in pairwise(told))


Told = list[tuple[str, int, int, int]]
"""Kind, level, done and total of the events of a chain, in their order."""


def trained(level: int, epochs: int, total: int) -> Told:
    return [("epoch", level, done, total) for done in range(epochs + 1)]


def evaluated(level: int, cells: int) -> Told:
    return [("cells", level, done, cells) for done in range(1, cells + 1)]


def chain_of(levels: list[tuple[int, int]]) -> tuple[dict[Work, int], Told]:
    """A chain that trains, tests and measures its levels: its work, and what it tells."""
    epochs, cells = (sum(counts) for counts in zip(*levels, strict=True))
    told: Told = [("start", 0, 0, 0)]
    for level, (train, test) in enumerate(levels, start=1):
        told += [*trained(level, train, train), ("network", level, 0, 0), *evaluated(level, test)]
    told += [("measure", 0, 0, 0), ("finished", 0, 0, 0)]
    return {EPOCH: epochs, NETWORK: len(levels), CELL: cells, measure("cka"): 1}, told


def checkpoints_of(epochs: list[int]) -> tuple[dict[Work, int], Told]:
    """A dense parent that is committed, but not its checkpoints: each is trained from the start."""
    told = [event for each in epochs for event in trained(0, each, 10)]
    return {EPOCH: sum(epochs)}, [("start", 0, 0, 0), *told, ("finished", 0, 0, 0)]


CHAINS = st.one_of(
    LEVELS.map(chain_of),
    st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True).map(checkpoints_of),
)


@given(st.lists(CHAINS, min_size=1, max_size=3), st.data())
def test_the_share_never_falls_while_nothing_fails(
    chains: list[tuple[dict[Work, int], Told]], data: st.DataObject
) -> None:
    waiting = {str(place): [*told] for place, (_, told) in enumerate(chains)}
    run = Run(**{str(place): works for place, (works, _) in enumerate(chains)})
    shares = [run.pace.share]
    while waiting:
        name = data.draw(st.sampled_from(sorted(waiting)))
        kind, level, done, total = waiting[name].pop(0)
        if not waiting[name]:
            del waiting[name]
        if done < total and data.draw(st.booleans()):
            continue  # trials leave out what is half done
        after = data.draw(st.floats(0, 100))
        run(kind, after, name, level=level, done=done, total=total, detail="cka" * (total == 0))
        shares.append(run.pace.share)
    assert all(before <= after for before, after in pairwise(shares))
    assert (shares[0], shares[-1]) == (0, 1)


def test_what_is_slower_than_thought_does_not_lower_the_share() -> None:
    run = Run(a={EPOCH: 10, CELL: 10})
    run("start")
    run.epoch(10, after=10)
    assert run.pace.share == pytest.approx(10_000 / 10_500)
    run.cells(1, 10, after=10)  # 10 s for one of them, of which 0.05 s were expected
    assert run.pace.share == pytest.approx(10_000 / 10_500)
    assert run.pace.left == 90
    run.cells(10, 10, after=90)
    assert run.pace.share == 1


def test_what_a_failure_loses_lowers_the_share() -> None:
    run = Run(a={EPOCH: 10})
    run("start")
    run.epoch(8, after=8)
    run("retry")
    assert run.pace.share == 0.8
    run("start", after=1)
    run.epoch(0)
    run.epoch(6, after=1)
    assert run.pace.share == 0.6
    run.epoch(10, after=4)
    assert run.pace.share == 1


def test_checkpoints_that_are_trained_one_by_one_add_up() -> None:
    run = Run(a={EPOCH: 6})
    run("start")
    for done in (0, 1, 2, 0, 1, 2, 3, 4):
        run.epoch(done, after=2)
    assert run.pace.done["epochs"] == 6


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["start", "epoch", "network", "cells", "measure", "retry"]),
            st.integers(0, 2),
            st.integers(0, 10),
            st.floats(0, 100),
        )
    ),
    st.lists(st.sampled_from(["finished", "failed", "blocked"]), min_size=3, max_size=3),
)
def test_whatever_happens_the_time_left_is_none_only_in_the_end(
    events: list[tuple[str, str, int, int, float]], ends: list[str]
) -> None:
    works = {EPOCH: 5, NETWORK: 2, CELL: 7, measure("cka"): 1}
    run = Run(a={}, b=works, c=works)
    for chain, kind, level, done, after in events:
        detail = "cka" if kind == "measure" else ""
        run(kind, after, chain, level=level, done=done, total=10, detail=detail)
        amounts: list[Kind] = ["epochs", "networks", "cells", "measures"]
        assert all(0 <= run.pace.done[one] <= run.pace.total[one] for one in amounts)
        all_done = run.pace.done == run.pace.total
        assert run.pace.left is None or (run.pace.left > 0) != all_done
        assert (run.pace.share == 1) == all_done
    for chain, end in zip("abc", ends, strict=True):
        run(end, chain=chain)
    assert run.pace.done == run.pace.total
    assert run.pace.left == 0
    assert run.pace.waiting == 0
    assert run.pace.ended.total() == 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.6, "1 min 00 s"),
        (250, "4 min 10 s"),
        (7500, "2 h 05 min"),
        (90_000, "1 d 01 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_numbers_count_what_is_done() -> None:
    from orchestrator.plan.to_do import EPOCH_PASSES

    epoch = Work(kind="epochs", network="net", passes=EPOCH_PASSES * 900)
    cell = Work(kind="cells", network="net", passes=100)
    pace = Pace({"a": {epoch: 4, cell: 2}, "b": {epoch: 4}}, clock=lambda: 0.0)
    assert pace.numbers.chains == {
        "waiting": 2,
        "running": 0,
        "done": 0,
        "failed": 0,
        "blocked": 0,
    }
    pace.note(Event(chain="a", kind="start"))
    pace.note(Event(chain="a", kind="epoch", done=3, total=4))
    pace.note(Event(chain="a", kind="cells", done=1, total=2))
    now = pace.numbers
    assert (now.chains["waiting"], now.chains["running"]) == (1, 1)
    counted = {"networks": 0, "epochs": 3, "cells": 1, "measures": 0}
    assert now.done == counted | {"images": 3 * 900 + 100}


def test_what_is_idle_at_the_end_is_counted_once_nothing_is_left_to_start() -> None:
    run = Run(a={EPOCH: 1}, b={EPOCH: 1}, c={EPOCH: 1})
    run("start")
    run("start", chain="b")
    run("finished", after=10.0)
    run("start", chain="c")
    run("finished", after=10.0, chain="b")
    assert run.pace.tail == 0.0
    run("finished", after=20.0, chain="c")
    assert run.pace.tail == pytest.approx(20.0 / (10 + 10 + 10 + 10 + 20 + 20))
