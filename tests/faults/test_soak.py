"""Random kills, one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.soak import soak


@pytest.mark.slow
def test_five_random_kills_end_in_the_same_table(tmp_path: Path) -> None:
    toll = soak(tmp_path, kills=5, seed=0)
    assert toll.kills.total() == 5
    assert toll.equal_tables == toll.rounds >= 1
    assert toll.harm() == {}
