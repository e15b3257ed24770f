"""The handwritten digits that scikit-learn brings along: a data set without a download."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from workers.contracts import DataError, DataSet, Images, Split
from workers.images.subsets import stratified_holdout


@dataclass(frozen=True, kw_only=True)
class Digits(DataSet):
    """1,797 handwritten digits, 8 by 8 pixels, grey (the test part of the UCI Optdigits data).

    ``test_fraction`` of every class, at random but always the same, is the test split.
    """

    test_fraction: float = 0.4

    def fingerprint(self, root: Path) -> str:
        """Return the SHA-256 of the bundled file."""
        return sha256(_bundled().read_bytes()).hexdigest()

    def load(self, split: Split, root: Path) -> Images:
        """Read the bundled file; its grey values 0 to 16 become 0 to 255."""
        table = np.loadtxt(_bundled(), delimiter=",")
        labels = table[:, -1].astype(np.int64)
        pixels = np.rint(table[:, :-1] * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1)
        train, test = stratified_holdout(labels, self.test_fraction)
        chosen = train if split == "train" else test
        return Images(pixels[chosen], labels[chosen])

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the ten digits."""
        return tuple("0123456789")


def _bundled() -> Path:
    """Find the file without importing scikit-learn, which takes seconds."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise DataError("the digits come with scikit-learn: install the package 'scikit-learn'")
    path = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    if not path.exists():
        raise DataError(f"scikit-learn brings no {path}; install another release of it")
    return path
