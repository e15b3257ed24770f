"""CIFAR-100-C as published (D. Hendrycks, T. Dietterich, 2019): corrupted test images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workers.images.cifar_c import CifarC
from workers.images.cifar_names import CIFAR_100


@dataclass(frozen=True, kw_only=True)
class Cifar100C(CifarC):
    """CIFAR-100-C: 10,000 test images under one corruption, from the published file.

    It is not downloaded: ``folder`` is what its archive extracts to, ``CIFAR-100-C`` of the data
    root by default. ``corruption`` is named as the task is, or as the file is.
    """

    names: ClassVar[tuple[str, ...]] = CIFAR_100
    clean: ClassVar[str] = "cifar100"
    archive: ClassVar[str] = "CIFAR-100-C.tar"
    home: ClassVar[str] = "https://zenodo.org/records/3555552"

    folder: str = field(default="CIFAR-100-C", metadata={"runtime": True})
