"""Fixed random parts of a data set."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.contracts import DataError
from workers.images.subsets import holdout, limited


@given(st.integers(2, 300), st.floats(0, 0.4), st.integers(1, 40))
def test_holdout_is_rounded_up_to_a_multiple(count: int, fraction: float, multiple: int) -> None:
    wanted = round(count * fraction)
    held = next(n for n in range(wanted, wanted + multiple) if n % multiple == 0)
    if wanted >= multiple and held >= count:
        return
    kept, out = holdout(count, fraction, multiple=multiple)
    assert len(out) == (held if wanted >= multiple else wanted)
    assert sorted([*kept, *out]) == list(range(count))


def test_holdout_of_a_multiple_contains_the_one_without() -> None:
    _, few = holdout(1000, 0.1)
    kept, more = holdout(1000, 0.1, multiple=64)
    assert (len(few), len(more), len(kept)) == (100, 128, 872)
    np.testing.assert_array_equal(more[:100], few)
    assert len(holdout(1000, 0.0, multiple=64)[1]) == 0


def test_a_smaller_limit_takes_a_part_of_a_larger_one() -> None:
    np.testing.assert_array_equal(limited(100, 30)[:10], limited(100, 10))
    assert sorted(limited(5, 9)) == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="limit is 0, expected at least 1"):
        limited(5, 0)
