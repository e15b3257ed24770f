"""The Street View House Numbers (Y. Netzer et al., 2011), cropped digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from workers.contracts import Images, Split
from workers.images.downloaded import DownloadedDataSet


@dataclass(frozen=True, kw_only=True)
class Svhn(DownloadedDataSet):
    """SVHN: 73,257 training and 26,032 test images of house number digits, 32 by 32, RGB."""

    torchvision_name: ClassVar[str] = "SVHN"
    home: ClassVar[str] = "http://ufldl.stanford.edu/housenumbers/"
    checksums: ClassVar[Mapping[str, str]] = {
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    }
    folder: ClassVar[str] = "svhn"

    def read(self, split: Split, root: Path) -> Images:
        """Read one split; the label of a digit is the digit.

        Raises:
            DataError: the files are damaged, or neither there nor can they be downloaded.

        """
        with self.downloaded(root) as source:
            opened = source(root / self.folder, split=split)
        pixels = np.ascontiguousarray(opened.data.transpose(0, 2, 3, 1))
        return Images(pixels, np.asarray(opened.labels, dtype=np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the ten digits."""
        return tuple("0123456789")

    def fetch(self, source: Any, root: Path) -> None:
        """Download one file per split."""
        for split in ("train", "test"):
            source(root / self.folder, split=split, download=True)
