"""What CIFAR-10-C and CIFAR-100-C share (D. Hendrycks, T. Dietterich, 2019).

A folder holds ``labels.npy`` and one file for each corruption: the test images at severity 1, then
the same images at severity 2, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workers.contracts import DataError, Images, Split
from workers.images.checksums import fingerprint
from workers.images.corruption_names import SEVERITIES, published
from workers.images.one_corruption import OneCorruption, nothing_to_train_on

LABELS = "labels.npy"


@dataclass(frozen=True, kw_only=True)
class CifarC(OneCorruption):
    """One corruption at one severity, as published: 10,000 test images, 32 by 32 pixels, RGB.

    ``names`` are the classes in label order, ``clean`` is the data set that was corrupted,
    ``archive`` what to download from ``home``.
    """

    names: ClassVar[tuple[str, ...]]
    clean: ClassVar[str]
    archive: ClassVar[str]
    home: ClassVar[str]

    folder: str

    def fingerprint(self, root: Path) -> str:
        """Digest the contents of the corruption's file and of the labels."""
        self._require(root)
        return fingerprint({path.name: path for path in self._paths(root)}, root)

    def available(self, root: Path) -> bool:
        """Tell whether both files are there."""
        return all(path.is_file() for path in self._paths(root))

    def load(self, split: Split, root: Path) -> Images:
        """Memory-map the images of the severity.

        Raises:
            DataError: the train split is asked for, or a file is missing or not what it should be.

        """
        if split == "train":
            name = f"{self.clean}_c"
            shift = f"{{{name}: {{corruption: {self.corruption}}}}}"
            raise nothing_to_train_on(name, self.clean, shift)
        self._require(root)
        path, labels_path = self._paths(root)
        pixels, labels = _array(path), _array(labels_path)
        self._check(path, pixels, labels_path, labels)
        each = len(labels) // len(SEVERITIES)
        block = slice((self.severity - 1) * each, self.severity * each)
        return Images(pixels[block], labels[block].astype(np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes in label order."""
        return self.names

    def _paths(self, root: Path) -> tuple[Path, Path]:
        folder = root / Path(self.folder).expanduser()
        return folder / f"{published(self.corruption)}.npy", folder / LABELS

    def _require(self, root: Path) -> None:
        for path in self._paths(root):
            if not path.is_file():
                raise DataError(
                    f"there is no {path}; extract {self.archive} of {self.home} so that "
                    f"{path.parent} holds {path.name}"
                )

    def _check(
        self, path: Path, pixels: NDArray[Any], labels_path: Path, labels: NDArray[Any]
    ) -> None:
        if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) % len(SEVERITIES):
            raise DataError(
                f"{labels_path} holds {labels.dtype} of shape {labels.shape}, expected integers, "
                "as many for each of five severities"
            )
        if pixels.dtype != np.uint8 or pixels.shape != (len(labels), 32, 32, 3):
            raise DataError(
                f"{path} holds {pixels.dtype} of shape {pixels.shape}, expected uint8 of shape "
                f"({len(labels)}, 32, 32, 3)"
            )
        if not ((labels >= 0) & (labels < len(self.names))).all():
            raise DataError(
                f"{labels_path} holds labels from {labels.min()} to {labels.max()}, expected 0 to "
                f"{len(self.names) - 1}"
            )


def _array(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    return array
