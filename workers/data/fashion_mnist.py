"""Fashion-MNIST (H. Xiao, K. Rasul, R. Vollgraf, 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from workers.images.mnist import IdxImages


@dataclass(frozen=True, kw_only=True)
class FashionMnist(IdxImages):
    """Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28 by 28, grey."""

    torchvision_name: ClassVar[str] = "FashionMNIST"
    home: ClassVar[str] = "https://github.com/zalandoresearch/fashion-mnist"
    checksums: ClassVar[Mapping[str, str]] = {
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    }
    folder: ClassVar[str] = "FashionMNIST/raw"
    class_names: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
