"""Data sets that fit neither on a device nor in memory: training images are decoded every epoch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import ClassVar, NamedTuple, Self
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from workers.contracts import DataError, DataSet, Images, Split
from workers.images.decoding import undecodable
from workers.images.prefetch import Pixels, decode_batches
from workers.images.resized_crop import DRAWS, central, crop_resized, random_box
from workers.images.subsets import Indices, limited

BATCH = 64


@dataclass(frozen=True)
class Listing:
    """The image files of one split, not yet decoded.

    Attributes:
        paths: of the files.
        labels: of shape (examples,), ``int64`` or the paths of label maps.

    """

    paths: Sequence[str]
    labels: NDArray[np.int64] | NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Indices) -> Self:
        """Keep the ``chosen`` files, in their order."""
        return type(self)([self.paths[index] for index in chosen], self.labels[chosen])

    def view(
        self, index: int, draws: Sequence[float] | None = None, mirrored: bool = False
    ) -> View:
        """Say what to show of the file at ``index``."""
        label_map = str(self.labels[index]) if self.labels.dtype.kind == "U" else ""
        return View(self.paths[index], draws, mirrored, label_map)


class View(NamedTuple):
    """What to show of an image file.

    Attributes:
        path: of the file.
        draws: what a random crop is made of; None takes the centre.
        mirrored: flip left to right.
        label_map: path of the label map that is shown with it, if there is one.

    """

    path: str
    draws: Sequence[float] | None = None
    mirrored: bool = False
    label_map: str = ""


@dataclass(frozen=True, kw_only=True)
class StreamedDataSet(DataSet):
    """Photographs of any size, each seen as ``size`` by ``size`` pixels, RGB.

    ``limit`` training images, a fixed random subset, are used. ``mean`` and ``std`` of the channels
    of pixels in [0, 1] are constants, because to compute them would cost a pass over all files.
    ``draws`` uniform numbers make one random view. Where ``labels`` are maps, what is decoded has
    the label map as its last channel.
    """

    mean: ClassVar[tuple[float, float, float]]
    std: ClassVar[tuple[float, float, float]]
    draws: ClassVar[int] = DRAWS

    size: int = 224
    limit: int | None = None

    def files(self, split: Split, root: Path) -> Listing:
        """List all images of a split, in an order that no file system changes."""
        raise NotImplementedError

    def examples(self, split: Split, root: Path) -> Listing:
        """List the images of a split, the train split cut down to ``limit``."""
        listing = self.files(split, root)
        if split == "test" or self.limit is None:
            return listing
        return listing.take(limited(len(listing), self.limit))

    def count(self, split: Split, root: Path) -> int:
        """Count the images of a split, without decoding any."""
        return len(self.examples(split, root))

    def decode(self, view: View) -> Pixels:
        """Decode one image to ``shape``.

        Raises:
            DataError: Pillow cannot decode the file.

        """
        from PIL import Image

        with undecodable(view.path), Image.open(view.path) as image:
            if view.draws is None:
                shown = central(image, self.size)
            else:
                shown = crop_resized(image, random_box(*image.size, view.draws), self.size)
        pixels = np.asarray(shown)
        return pixels[:, ::-1] if view.mirrored else pixels

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every decoded image, its label map included."""
        return self.size, self.size, len(self.mean) + (self.labels == "map")

    def load(self, split: Split, root: Path) -> Images:
        """Memory-map the central views of a split, decoded once to ``root/.decoded``.

        The test split of ImageNet takes 7.5 GB there. The train split would take 193 GB: networks
        are trained from ``workers.training.streamed_data``, which does not load it.

        Raises:
            DataError: files are missing, cannot be decoded, or cannot be written.

        """
        examples = self.examples(split, root)
        path = root / ".decoded" / f"{self._digest(split, root)}.npy"
        if not path.exists():
            _write(path, (len(examples), *self.shape), self._blocks(examples))
        decoded = np.load(path, mmap_mode="r", allow_pickle=False)
        if self.labels == "map":
            return Images(decoded[..., :-1], decoded[..., -1])
        return Images(decoded, examples.labels.astype(np.int64, copy=False))

    def _digest(self, split: Split, root: Path) -> str:
        limit = self.limit if split == "train" else None
        what = (self.fingerprint(root), type(self).version, split, self.size, limit)
        return sha256(repr(what).encode()).hexdigest()

    def _blocks(self, examples: Listing) -> Iterable[Pixels]:
        views = [examples.view(index) for index in range(len(examples))]
        batches = (views[first : first + BATCH] for first in range(0, len(views), BATCH))
        return decode_batches(self.decode, batches, self.shape, os.cpu_count() or 1)


def _write(path: Path, shape: tuple[int, ...], blocks: Iterable[Pixels]) -> None:
    """Write beside ``path``, then rename; processes that race write the same bytes."""
    unfinished = path.with_suffix(f".{uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for block in blocks:
                file.write(block.data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise DataError(
            f"cannot write {path} ({error.strerror}), where images are decoded to once"
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
