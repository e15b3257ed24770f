"""CIFAR-10.1 (B. Recht, R. Roelofs, L. Schmidt, V. Shankar, 2018): new test images for CIFAR-10."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from workers.contracts import DataError, DataSet, Images, Split
from workers.images.checksums import fingerprint
from workers.images.cifar_names import CIFAR_10

FOLDER = "cifar-10.1"
PIXELS, LABELS = FILES = ("cifar10.1_v6_data.npy", "cifar10.1_v6_labels.npy")


@dataclass(frozen=True, kw_only=True)
class Cifar101(DataSet):
    """CIFAR-10.1 v6: 2,000 test images of CIFAR-10's classes, 32 by 32, RGB; nothing to train on.

    It is not downloaded: its two files belong into the folder ``cifar-10.1`` of the data root.
    """

    names: ClassVar[tuple[str, ...]] = CIFAR_10

    def fingerprint(self, root: Path) -> str:
        """Digest the contents of both files."""
        self._require(root)
        return fingerprint({name: root / FOLDER / name for name in FILES}, root)

    def available(self, root: Path) -> bool:
        """Tell whether both files are there."""
        return all((root / FOLDER / name).is_file() for name in FILES)

    def load(self, split: Split, root: Path) -> Images:
        """Read the test split.

        Raises:
            DataError: the train split is asked for, or a file is missing or not what it should be.

        """
        if split == "train":
            raise DataError(
                "cifar10_1 is a test set and has nothing to train on; train on cifar10, and test "
                "with the task {shifted: {data: cifar10_1}}"
            )
        self._require(root)
        pixels, labels = (_array(root / FOLDER / name) for name in FILES)
        if pixels.dtype != np.uint8 or pixels.shape != (len(labels), 32, 32, 3):
            raise DataError(
                f"{root / FOLDER / PIXELS} holds {pixels.dtype} of shape {pixels.shape}, "
                f"expected uint8 of shape ({len(labels)}, 32, 32, 3)"
            )
        return Images(pixels, labels.astype(np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes of CIFAR-10 in label order."""
        return self.names

    def _require(self, root: Path) -> None:
        if not self.available(root):
            raise DataError(
                f"there is no CIFAR-10.1; put {PIXELS} and {LABELS} of "
                f"https://github.com/modestyachts/CIFAR-10.1 into {root / FOLDER}"
            )


def _array(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    return array
