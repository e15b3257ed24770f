"""What CIFAR-10 and CIFAR-100 share (A. Krizhevsky, Learning multiple layers of features, 2009)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np

from workers.contracts import DataError, Images, Split
from workers.images.limited import LimitedDataSet


@dataclass(frozen=True, kw_only=True)
class Cifar(LimitedDataSet):
    """A CIFAR data set, downloaded by torchvision and checked against its published checksums."""

    torchvision_name: ClassVar[str]
    archive_md5: ClassVar[str]
    folder: ClassVar[str]

    def fingerprint(self, root: Path) -> str:
        """Return the published checksum of the archive, without downloading it."""
        return self.archive_md5

    def available(self, root: Path) -> bool:
        """Tell whether the extracted folder is there."""
        return (root / self.folder).exists()

    def read(self, split: Split, root: Path) -> Images:
        """Read one split: 32 by 32 pixels, RGB.

        Raises:
            DataError: the files are neither there nor can they be downloaded.

        """
        opened = self._open(split, root)
        return Images(np.asarray(opened.data), np.asarray(opened.targets, dtype=np.int64))

    def classes(self, root: Path) -> tuple[str, ...]:
        """Name the classes in label order."""
        return tuple(self._open("test", root).classes)

    def _open(self, split: Split, root: Path) -> Any:
        from torchvision import datasets

        source = getattr(datasets, self.torchvision_name)
        # A folder that is there but damaged fails its checksums below, rather than being replaced.
        if not self.available(root):
            _download(source, root)
        try:
            return source(root, train=split == "train")
        except (OSError, RuntimeError) as error:
            raise DataError(
                f"{root / self.folder} is incomplete or damaged; delete the folder to have "
                "it downloaded again"
            ) from error


def _download(source: Any, root: Path) -> None:
    """Download beside, then rename: workers that start together never see half a data set."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=root, prefix=".download-") as folder:
            source(folder, download=True)
            # Another worker may have been faster; its copy is as good.
            with suppress(OSError):
                (Path(folder) / source.base_folder).rename(root / source.base_folder)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"cannot download {source.url} ({error}); extract {source.filename} into "
            f"{root}, so that {root / source.base_folder} exists"
        ) from error
