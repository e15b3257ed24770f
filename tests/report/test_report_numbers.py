"""How numbers read."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.report.cells import Number
from orchestrator.report.numbers import count, duration, interval, percent, points


@given(st.floats(-1, 1))
def test_percent_is_the_nearest_tenth(value):
    assert abs(float(percent(value)) - 100 * value) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.849, "84.9"), (0.0, "0.0"), (-0.0, "0.0"), (1.0, "100.0"), (math.nan, "–")],
)
def test_percent(value, text):
    assert percent(value) == text


def test_small_negative_is_not_minus_zero():
    assert percent(-0.0001) == "0.0"


def test_interval_needs_both_ends():
    assert interval(0.801, 0.88) == "[80.1, 88.0]"
    assert interval(math.nan, 0.88) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(0.005, "0.5 points"), (0.01, "1 point"), (0.0025, "0.25 points")]
)
def test_points(value, text):
    assert points(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5.4, "5 s"), (65, "1 min 5 s"), (3599.6, "1 h 0 min"), (11530, "3 h 12 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_count():
    assert [count(n, "task") for n in (0, 1, 1332)] == ["0 tasks", "1 task", "1,332 tasks"]


def test_a_number_is_the_first_row_with_its_limits():
    rows = pd.DataFrame({"mean": [0.5, 9], "low": [0.4, 9], "high": [0.625, 9], "iou": [0.25, 9]})
    number = Number.of(rows)
    assert (number.text, number.interval, number.tint) == ("50.0", "[40.0, 62.5]", "")
    other = Number.of(rows, "iou", unit="plain", decimals=2, shaded=True)
    assert (other.text, other.interval, other.tint) == ("0.25", "[0.40, 0.62]", "25")


def test_a_number_of_no_rows_is_missing():
    number = Number.of(pd.DataFrame(columns=["mean", "low", "high"]))
    assert (number.text, number.interval, number.tint) == ("–", "", "")
