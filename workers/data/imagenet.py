"""ImageNet (O. Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, 2015)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

import numpy as np

from workers.contracts import DataError, Split
from workers.images.checksums import remembered
from workers.images.folders import EXTENSIONS, common_classes
from workers.images.streamed import Listing, StreamedDataSet


@dataclass(frozen=True, kw_only=True)
class ImageNet(StreamedDataSet):
    """ImageNet: 1,281,167 training and 50,000 test images of 1,000 classes, read while training.

    The files lie in ``train``/class/… and ``test``/class/…, ``imagenet/train`` and ``imagenet/val``
    of the data root by default; the class folders (n01440764, …) must be the same, and any number
    of classes will do. Training sees a random crop of every image, tests see the centre.
    """

    mean: ClassVar[tuple[float, float, float]] = (0.485, 0.456, 0.406)
    std: ClassVar[tuple[float, float, float]] = (0.229, 0.224, 0.225)

    train: str = field(default="imagenet/train", metadata={"runtime": True})
    test: str = field(default="imagenet/val", metadata={"runtime": True})

    def fingerprint(self, root: Path) -> str:
        """Digest relative paths and sizes of all files; their contents, 140 GB, are not read.

        The digest is remembered until a file comes to a class folder or leaves it; a file that was
        overwritten in its place is noticed once ``root/.fingerprints`` is deleted.
        """
        stamp = sha256()
        for split in ("train", "test"):
            for _, folder in self._folders(split, root):
                stamp.update(f"{folder.resolve()}\0{folder.stat().st_mtime_ns}\n".encode())
        return remembered(stamp.hexdigest(), lambda: self._digest_sizes(root), root)

    def available(self, root: Path) -> bool:
        """Tell whether both folders are there."""
        return all(self._folder(split, root).is_dir() for split in ("train", "test"))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the class folders, sorted."""
        for split in ("train", "test"):
            if not (folder := self._folder(split, root)).is_dir():
                raise DataError(
                    f"there is no folder {folder}; put ImageNet there as <class>/<image>.JPEG"
                )
        return common_classes(self._folder("train", root), self._folder("test", root))

    def files(self, split: Split, root: Path) -> Listing:
        """List the images of a split, class by class.

        Raises:
            DataError: a folder is missing or holds no images, or the classes differ.

        """
        found = [[e.path for e in _images(folder)] for _, folder in self._folders(split, root)]
        if not any(found):
            raise DataError(f"{self._folder(split, root)} holds no images")
        labels = np.repeat(np.arange(len(found), dtype=np.int64), [*map(len, found)])
        return Listing([path for paths in found for path in paths], labels)

    def _folder(self, split: str, root: Path) -> Path:
        return root / Path(self.train if split == "train" else self.test).expanduser()

    def _folders(self, split: str, root: Path) -> list[tuple[str, Path]]:
        return [(name, self._folder(split, root) / name) for name in self.classes(root)]

    def _digest_sizes(self, root: Path) -> str:
        digest = sha256()
        for split in ("train", "test"):
            for name, folder in self._folders(split, root):
                for entry in _images(folder):
                    line = f"{split}/{name}/{entry.name}\0{entry.stat().st_size}\n"
                    digest.update(line.encode())
        return digest.hexdigest()


def _images(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        found = [e for e in entries if os.path.splitext(e.name)[1].lower() in EXTENSIONS]
    return sorted(found, key=lambda entry: entry.name)
