"""One folder of images per class."""

from __future__ import annotations

from pathlib import Path

from workers.contracts import DataError

EXTENSIONS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def class_names(folder: Path) -> tuple[str, ...]:
    """Name the class folders in ``folder``, sorted.

    Raises:
        DataError: there is no such folder.

    """
    if not folder.is_dir():
        raise DataError(
            f"there is no folder {folder}; it should hold one folder of images per class"
        )
    return tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != "."))


def common_classes(train: Path, test: Path) -> tuple[str, ...]:
    """Name the class folders of both splits, sorted.

    Raises:
        DataError: a folder is missing, or they do not hold the same classes.

    """
    first, second = class_names(train), class_names(test)
    if first != second:
        odd = ", ".join(sorted(set(first) ^ set(second)))
        raise DataError(
            f"{train} and {test} must hold the same class folders; only one of them has: {odd}"
        )
    return first
