"""What a measure found, in its Parquet form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import pyarrow as pa
import pyarrow.parquet as pq

from workers.contracts import Reading

READINGS = "readings.parquet"
SCHEMA = pa.schema(
    [
        ("subject", pa.int16()),
        ("quantity", pa.string()),
        ("value", pa.float64()),
        ("against", pa.int16()),
        ("part", pa.string()),
        ("at", pa.float64()),
        ("spread", pa.float64()),
    ]
)


def to_parquet(readings: Iterable[Reading]) -> bytes:
    """Write the readings of one measure on one chain, in their order."""
    table = pa.Table.from_pylist([asdict(one) for one in readings], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def from_parquet(blob: bytes) -> list[Reading]:
    """Read what ``to_parquet`` wrote.

    Raises:
        pyarrow.ArrowInvalid: the bytes are no Parquet file.

    """
    return [Reading(**row) for row in pq.read_table(pa.BufferReader(blob)).to_pylist()]
