"""Predictions to Parquet and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.evaluation.predictions import COLUMNS, Predictions, from_parquet, to_parquet


def made(task: str, count: int, seed: int) -> Predictions:
    draw = np.random.default_rng(seed)
    columns = {name: draw.uniform(-5, 1000, count).astype(COLUMNS[name]) for name in COLUMNS}
    return Predictions(task, **columns)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.integers(1, 40)), unique_by=lambda x: x[0]))
def test_round_trip(parts):
    before = [made(task, count, seed) for seed, (task, count) in enumerate(parts)]
    after = from_parquet(to_parquet(iter(before)))
    assert [p.task for p in after] == [p.task for p in before]
    for one, two in zip(before, after, strict=True):
        for column in COLUMNS:
            assert getattr(two, column).dtype == getattr(one, column).dtype
            assert np.array_equal(getattr(two, column), getattr(one, column))


def test_schema_and_compression():
    blob = to_parquet([made("a", 3, 0), made("b", 2, 1)])
    table = pq.read_table(pa.BufferReader(blob))
    assert table.schema.names == ["task", *COLUMNS]
    assert table.schema.types == [
        pa.dictionary(pa.int32(), pa.string()),
        *[pa.int16()] * 2,
        *[pa.float32()] * 2,
        *[pa.float16()] * 4,
    ]
    assert table["task"].to_pylist() == ["a", "a", "a", "b", "b"]
    group = pq.ParquetFile(pa.BufferReader(blob)).metadata.row_group(0)
    assert {group.column(index).compression for index in range(9)} == {"ZSTD"}
    assert all("BYTE_STREAM_SPLIT" in group.column(index).encodings for index in range(3, 9))


def test_no_predictions_make_an_empty_file():
    assert from_parquet(to_parquet([])) == []


def test_same_predictions_make_the_same_bytes():
    assert to_parquet([made("a", 50, 0)]) == to_parquet([made("a", 50, 0)])


def test_other_bytes_are_refused():
    with pytest.raises(pa.ArrowInvalid):
        from_parquet(b"no parquet")
