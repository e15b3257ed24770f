"""Images in one folder per class."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workers.contracts import DataError, Images, Split
from workers.images.checksums import fingerprint
from workers.images.decoding import Channels, decode_all
from workers.images.folders import EXTENSIONS, class_names, common_classes
from workers.images.limited import LimitedDataSet


@dataclass(frozen=True, kw_only=True)
class ImageFolder(LimitedDataSet):
    """Image files in folders: ``train``/class/… and ``test``/class/….

    Every image is scaled, and cropped at its centre, to ``size`` by ``size`` pixels of 3
    ``channels`` (RGB) or 1 (grey). The class folders of both splits must be the same; their sorted
    names are the classes.
    """

    train: str = field(metadata={"runtime": True})
    test: str = field(metadata={"runtime": True})
    size: int
    channels: Channels = 3

    def fingerprint(self, root: Path) -> str:
        """Digest relative paths and contents of both folders; where the folders lie is left out."""
        files = {}
        for split in ("train", "test"):
            folder = self._folder(split, root)
            for path in _images(folder):
                files[f"{split}/{path.relative_to(folder).as_posix()}"] = path
        return fingerprint(files, root)

    def available(self, root: Path) -> bool:
        """Tell whether both folders are there."""
        return all(self._folder(split, root).is_dir() for split in ("train", "test"))

    def read(self, split: Split, root: Path) -> Images:
        """Decode one split, class by class.

        Raises:
            DataError: a folder is missing or empty, the classes differ, or an image is unreadable.

        """
        label = {name: number for number, name in enumerate(self.classes(root))}
        folder = self._folder(split, root)
        paths = _images(folder)
        labels = [label[path.relative_to(folder).parts[0]] for path in paths]
        encoded = ((str(path), path.read_bytes()) for path in paths)
        pixels = decode_all(encoded, len(paths), channels=self.channels, size=self.size)
        return Images(pixels, np.array(labels, dtype=np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the class folders, sorted."""
        return common_classes(self._folder("train", root), self._folder("test", root))

    def _folder(self, split: str, root: Path) -> Path:
        return root / Path(self.train if split == "train" else self.test).expanduser()


def _images(folder: Path) -> list[Path]:
    """List image files class by class, in an order that no file system changes."""
    found = [
        path
        for name in class_names(folder)
        for path in sorted((folder / name).rglob("*"))
        if path.suffix.lower() in EXTENSIONS
    ]
    if not found:
        raise DataError(
            f"{folder} holds no images; expected {folder}/<class>/<image>.png or similar"
        )
    return found
