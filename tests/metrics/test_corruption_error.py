from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from orchestrator.metrics.corruption_error import corruption_errors

ERROR = np.array([[0.2, 0.4], [0.3, 0.3]])
REFERENCE = np.array([[0.1, 0.2], [0.2, 0.4]])


def test_by_hand() -> None:
    found = corruption_errors(ERROR, REFERENCE, 0.1, 0.05)
    assert found.corruption_error == pytest.approx([2, 1])
    assert found.mean_corruption_error == pytest.approx(1.5)
    # (0.1 + 0.3) / (0.05 + 0.15) and (0.2 + 0.2) / (0.15 + 0.35)
    assert found.relative == pytest.approx([2, 0.8])
    assert found.mean_relative == pytest.approx(1.4)
    assert found.error == pytest.approx([0.3, 0.3])
    assert found.mean_error == pytest.approx(0.3)


@given(arrays(float, (3, 5), elements=st.floats(0.01, 1)), st.floats(0, 0.005))
def test_the_reference_itself_is_1(error: NDArray[np.float64], clean: float) -> None:
    found = corruption_errors(error, error, clean, clean)
    assert found.corruption_error.tolist() == [1, 1, 1]
    assert (found.mean_corruption_error, found.mean_relative) == (1, 1)


def test_a_reference_without_errors_is_no_unit() -> None:
    found = corruption_errors(ERROR, REFERENCE * [[0], [1]], 0.1, 0.0)
    assert found.corruption_error == pytest.approx([np.nan, 1], nan_ok=True)
    assert np.isnan(found.mean_corruption_error)
    assert found.mean_error == pytest.approx(0.3)


def test_a_corruption_that_the_reference_gains_by_is_no_unit_of_loss() -> None:
    found = corruption_errors(ERROR, REFERENCE, 0.1, 0.18)
    assert found.relative == pytest.approx([np.nan, 0.4 / 0.24], nan_ok=True)
    assert np.isnan(found.mean_relative)
    assert found.mean_corruption_error == pytest.approx(1.5)


def test_a_severity_missing_in_one_network_is_left_out_of_both() -> None:
    reference = np.array([[np.nan, 0.2], [0.2, 0.4]])
    found = corruption_errors(ERROR, reference, 0.1, 0.05)
    assert found.corruption_error == pytest.approx([0.4 / 0.2, 1])
    assert found.relative == pytest.approx([0.3 / 0.15, 0.8])
    assert found.error == pytest.approx([0.4, 0.3])
    assert found.mean_error == pytest.approx((0.4 + 0.3 + 0.3) / 3)


def test_nothing_measured_is_nothing_known() -> None:
    found = corruption_errors(np.full((2, 2), np.nan), REFERENCE, 0.1, 0.1)
    assert np.isnan([found.corruption_error, found.error]).all()
    assert np.isnan(found.mean_error)


@pytest.mark.parametrize("shape", [(2,), (2, 3), (0, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="one shape"):
        corruption_errors(np.ones(shape), REFERENCE, 0.1, 0.1)
