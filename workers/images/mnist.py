"""What MNIST and Fashion-MNIST share: four compressed files of 28 by 28 grey pixels."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from workers.contracts import Images, Split
from workers.images.downloaded import DownloadedDataSet

PREFIX = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, kw_only=True)
class IdxImages(DownloadedDataSet):
    """Images and labels in files of the IDX format, decoded from the archives that are checked.

    ``class_names`` are in label order.
    """

    class_names: ClassVar[tuple[str, ...]]

    def read(self, split: Split, root: Path) -> Images:
        """Read one split: 28 by 28 pixels, grey.

        Raises:
            DataError: the files are damaged, or neither there nor can they be downloaded.

        """
        with self.downloaded(root):
            pixels = self._array(root, f"{PREFIX[split]}-images-idx3-ubyte.gz")
            labels = self._array(root, f"{PREFIX[split]}-labels-idx1-ubyte.gz")
        return Images(pixels[..., None], labels.astype(np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes in label order."""
        return self.class_names

    def _array(self, root: Path, name: str) -> NDArray[np.uint8]:
        """Read one file: two zeros, type, number of axes, sizes of 4 bytes, then the values."""
        archive = (root / self.folder / name).read_bytes()
        if md5(archive, usedforsecurity=False).hexdigest() != self.checksums[name]:
            raise OSError(f"{name} differs from its published checksum")
        content = gzip.decompress(archive)
        shape = np.frombuffer(content, ">i4", count=content[3], offset=4)
        values = np.frombuffer(content, np.uint8, offset=4 + shape.nbytes)
        return values.reshape(shape)
