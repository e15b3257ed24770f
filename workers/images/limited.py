"""Data sets of which a sweep may use a part, to try things out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workers.contracts import DataSet, Images, Split
from workers.images.subsets import limited


@dataclass(frozen=True, kw_only=True)
class LimitedDataSet(DataSet):
    """A data set of which ``limit`` training images, a fixed random subset, are used."""

    limit: int | None = None

    def load(self, split: Split, root: Path) -> Images:
        """Read one split and cut the train split down to ``limit``."""
        images = self.read(split, root)
        if split == "test" or self.limit is None:
            return images
        chosen = limited(len(images.labels), self.limit)
        return Images(images.pixels[chosen], images.labels[chosen])

    def read(self, split: Split, root: Path) -> Images:
        """Decode the whole split."""
        raise NotImplementedError
