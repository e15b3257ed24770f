"""CIFAR-10."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from workers.images.cifar import Cifar
from workers.images.cifar_names import CIFAR_10


@dataclass(frozen=True, kw_only=True)
class Cifar10(Cifar):
    """CIFAR-10: 50,000 training and 10,000 test images of 10 classes, 32 by 32 pixels, RGB."""

    names: ClassVar[tuple[str, ...]] = CIFAR_10
    torchvision_name: ClassVar[str] = "CIFAR10"
    checksums: ClassVar[Mapping[str, str]] = {
        "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a"
    }
    folder: ClassVar[str] = "cifar-10-batches-py"
