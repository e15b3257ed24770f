"""CIFAR-100."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from workers.images.cifar import Cifar
from workers.images.cifar_names import CIFAR_100


@dataclass(frozen=True, kw_only=True)
class Cifar100(Cifar):
    """CIFAR-100: 50,000 training and 10,000 test images of 100 classes, 32 by 32 pixels, RGB."""

    names: ClassVar[tuple[str, ...]] = CIFAR_100
    torchvision_name: ClassVar[str] = "CIFAR100"
    checksums: ClassVar[Mapping[str, str]] = {
        "cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85"
    }
    folder: ClassVar[str] = "cifar-100-python"
