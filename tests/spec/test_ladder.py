import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.spec import Rung
from orchestrator.spec.ladder import faults, geometric, linear, rungs

six_digits = st.integers(1, 999_999).map(lambda millionths: millionths / 1_000_000)
spans = st.tuples(six_digits, six_digits).filter(lambda ends: ends[0] < ends[1])


def test_geometric_keeps_the_same_share_at_every_level():
    assert geometric(0.15, 0.85, 5) == (0.15, 0.449082, 0.642929, 0.768568, 0.85)
    kept = 1 - np.array(geometric(0.5, 0.9375, 4))
    assert kept.tolist() == [0.5, 0.25, 0.125, 0.0625]


def test_linear_adds_the_same_amount_at_every_level():
    assert linear(0.88, 0.98, 3) == (0.88, 0.93, 0.98)
    assert linear(0.1, 0.7, 4) == (0.1, 0.3, 0.5, 0.7)


@given(spans, st.integers(2, 60))
def test_spaced_ratios_match_numpy_and_keep_their_ends(ends, count):
    start, stop = ends
    expected = 1 - np.geomspace(1 - start, 1 - stop, count)
    np.testing.assert_allclose(geometric(start, stop, count), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        linear(start, stop, count), np.linspace(start, stop, count), rtol=0, atol=1e-6
    )
    for ratios in (geometric(start, stop, count), linear(start, stop, count)):
        assert (ratios[0], ratios[-1]) == ends
        assert all(0 < ratio < 1 and ratio == round(ratio, 6) for ratio in ratios)
        assert list(ratios) == sorted(ratios)


@given(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_groups_are_those_of_array_split(sizes):
    count, retrained = sizes
    ratios = tuple((i + 1) / (count + 1) for i in range(count))
    groups = np.array_split(np.array(ratios), retrained)
    expected = [Rung(ratio=group[-1], steps=tuple(group[:-1])) for group in groups]
    assert list(rungs(ratios, retrained)) == expected


def test_every_ratio_is_retrained_unless_said_otherwise():
    assert rungs((0.5, 0.9)) == (Rung(ratio=0.5), Rung(ratio=0.9))
    assert rungs((0.1, 0.2, 0.3, 0.4, 0.5), 2) == (
        Rung(ratio=0.3, steps=(0.1, 0.2)),
        Rung(ratio=0.5, steps=(0.4,)),
    )


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ([(0.1, 0.2), (0.3,)], []),
        (
            [(0.1, 0.2), (0.2,), (0.3,)],
            [((1,), "expected a ratio above the 0.2 before it, found 0.2")],
        ),
        ([(0.5, 0.4)], [((0,), "expected a ratio above the 0.5 before it, found 0.4")]),
        ([(0.5,), (1.0,)], [((1,), "expected a prune ratio above 0 and below 1, found 1")]),
        ([(0.0,), (0.5,)], [((0,), "expected a prune ratio above 0 and below 1, found 0")]),
    ],
)
def test_faults_name_the_element(elements, expected):
    assert faults(elements) == expected
