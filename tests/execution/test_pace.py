import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.execution.pace import Pace, TrialState, duration
from workers.contracts import Event


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def epoch(chain: str, done: int, level: int = 0) -> Event:
    return Event(chain=chain, kind="epoch", level=level, done=done, total=10)


def test_time_left_is_what_remains_at_the_measured_rate() -> None:
    clock = Clock()
    pace = Pace({"a": 10, "b": 30}, clock)
    assert pace.left is None
    clock.now += 7  # nothing runs yet: this is no part of the rate
    pace.note(Event(chain="a", kind="start"))
    clock.now += 20
    pace.note(epoch("a", 10))
    assert (pace.done, pace.total, pace.unit) == (10, 40, "epochs")
    assert pace.left == 60  # 30 epochs, 2 s each
    assert pace.elapsed == 27


def test_the_first_epochs_say_nothing_about_a_long_run() -> None:
    clock = Clock()
    pace = Pace({"a": 1000}, clock)
    pace.note(Event(chain="a", kind="start"))
    clock.now += 10
    pace.note(epoch("a", 2))
    assert pace.left is None
    clock.now += 20
    assert pace.left == 998 * 15


def test_epochs_that_somebody_else_trained_are_done_but_not_measured() -> None:
    clock = Clock()
    pace = Pace({"a": 10, "b": 10}, clock)
    pace.note(Event(chain="a", kind="start"))
    clock.now += 5
    pace.note(epoch("a", 5))
    pace.note(Event(chain="a", kind="finished"))
    assert (pace.done, pace.total) == (10, 20)
    assert pace.left == 10


def test_what_a_failure_leaves_untrained_no_longer_counts() -> None:
    pace = Pace({"a": 10, "a1": 40, "b": 10})
    pace.note(epoch("a", 3))
    pace.note(Event(chain="a", kind="failed"))
    pace.note(Event(chain="a1", kind="blocked"))
    assert (pace.done, pace.total, pace.waiting) == (3, 13, 1)
    assert pace.ended == {"failed": 1, "blocked": 1}


def test_a_retry_trains_again_from_its_checkpoint() -> None:
    clock = Clock()
    pace = Pace({"a": 10}, clock)
    pace.note(Event(chain="a", kind="start"))
    pace.note(epoch("a", 8))
    pace.note(Event(chain="a", kind="retry"))
    assert pace.running["a"].state == "trying again"
    clock.now += 12
    pace.note(epoch("a", 4))
    assert pace.done == 4
    pace.note(epoch("a", 8))
    assert pace.left == 2  # 12 epochs were trained in 12 s


def test_chains_are_counted_when_nothing_is_to_be_trained() -> None:
    clock = Clock()
    pace = Pace({"a": 0, "b": 0, "c": 0}, clock)
    pace.note(Event(chain="a", kind="start"))
    clock.now += 4
    pace.note(Event(chain="a", kind="finished"))
    assert (pace.done, pace.total, pace.unit, pace.left) == (1, 3, "chains", 8)


def test_a_running_trial_shows_where_it_is() -> None:
    pace = Pace({"a": 20})
    for event, state in [
        (Event(chain="a", kind="start"), TrialState(state="starting")),
        (epoch("a", 4, level=2), TrialState(level=2, done=4, total=10, state="training")),
        (
            Event(chain="a", kind="network", level=2),
            TrialState(level=2, done=4, total=10, state="evaluating"),
        ),
    ]:
        pace.note(event)
        assert pace.running == {"a": state}
    pace.note(Event(chain="a", kind="finished"))
    assert not pace.running


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["epoch", "retry"]), st.integers(0, 10))
    ),
    st.lists(st.sampled_from(["finished", "failed", "blocked"]), min_size=3, max_size=3),
)
def test_whatever_happens_all_of_the_total_is_done_in_the_end(
    events: list[tuple[str, str, int]], ends: list[str]
) -> None:
    pace = Pace({"a": 0, "b": 5, "c": 10})
    for chain, kind, done in events:
        pace.note(Event(chain=chain, kind=kind, done=done, total=10))  # type: ignore[arg-type]
        assert 0 <= pace.done <= pace.total == 15
    for chain, end in zip("abc", ends, strict=True):
        pace.note(Event(chain=chain, kind=end))  # type: ignore[arg-type]
    assert pace.done == pace.total
    assert pace.waiting == 0
    assert pace.ended.total() == 3


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
