"""What CIFAR-10 and CIFAR-100 share (A. Krizhevsky, Learning multiple layers of features, 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from workers.contracts import Images, Split
from workers.images.downloaded import DownloadedDataSet


@dataclass(frozen=True, kw_only=True)
class Cifar(DownloadedDataSet):
    """A CIFAR data set: one archive, extracted to a folder whose files are checked once more.

    ``names`` are the classes in label order.
    """

    names: ClassVar[tuple[str, ...]]
    home: ClassVar[str] = "https://www.cs.toronto.edu/~kriz/cifar.html"

    def read(self, split: Split, root: Path) -> Images:
        """Read one split: 32 by 32 pixels, RGB.

        Raises:
            DataError: the files are damaged, or neither there nor can they be downloaded.

        """
        with self.downloaded(root) as source:
            opened = source(root, train=split == "train")
        return Images(np.asarray(opened.data), np.asarray(opened.targets, dtype=np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes in label order."""
        return self.names

    def remedy(self, root: Path) -> str:
        """Say what to extract where when there is no download."""
        (archive,) = self.checksums
        return f"extract {archive} into {root}, so that {root / self.folder} exists"
