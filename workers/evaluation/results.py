"""The Parquet form of whatever an evaluation yields."""

from __future__ import annotations

from collections.abc import Iterable

from workers.evaluation import pixel_counts, predictions
from workers.evaluation.pixel_counts import PixelCounts
from workers.evaluation.predictions import Predictions


def to_parquet(results: Iterable[Predictions | PixelCounts]) -> bytes:
    """Write the results of one network as one Parquet file, predictions or counts of pixels."""
    made = list(results)
    counts = [one for one in made if isinstance(one, PixelCounts)]
    if counts:
        return pixel_counts.to_parquet(counts)
    return predictions.to_parquet(one for one in made if isinstance(one, Predictions))
