"""Data sets: labelled images with a train and a test split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from workers.contracts.plug_in import PlugIn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Images:
    """One split of a data set.

    Attributes:
        pixels: ``uint8`` of shape (examples, height, width, channels).
        labels: ``int64`` of shape (examples,), or ``uint8`` of shape (examples, height, width)
            where every pixel has a class, 255 being none.
        classes: the names of the classes in label order, where they are known.

    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64] | NDArray[np.uint8]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DataSet(PlugIn):
    """Labelled images with a train and a test split.

    ``holdout`` is the fraction of the train split that no network trains on: it validates, and
    feeds the methods that need samples. ``labels`` says whether an image has one class or a map of
    them, for segmentation; then the metric is the mean IoU.
    """

    labels: ClassVar[Literal["class", "map"]] = "class"

    holdout: float = 0.1

    def __post_init__(self) -> None:
        """Check what all data sets share; a subclass that checks more calls this too.

        Raises:
            ValueError: ``holdout`` is no fraction below 1.

        """
        if not 0 <= self.holdout < 1:
            raise ValueError(f"holdout is {self.holdout}, expected a fraction from 0 to below 1")

    def fingerprint(self, root: Path) -> str:
        """Identify the content, from checksums and without decoding images.

        Args:
            root: the folder that downloads go to and relative paths start from.

        Raises:
            DataError: the data are missing or unreadable; the message says what to put where.

        """
        raise NotImplementedError

    def available(self, root: Path) -> bool:
        """Tell whether ``load`` would work without downloading anything."""
        return True

    def load(self, split: Split, root: Path) -> Images:
        """Decode one split, downloading it first where the data set can."""
        raise NotImplementedError

    def count(self, split: Split, root: Path) -> int:
        """Count the images of a split."""
        return len(self.load(split, root).labels)

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes in label order."""
        raise NotImplementedError
