"""MNIST (Y. LeCun, C. Cortes, C. Burges)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from workers.images.mnist import IdxImages


@dataclass(frozen=True, kw_only=True)
class Mnist(IdxImages):
    """MNIST: 60,000 training and 10,000 test images of handwritten digits, 28 by 28, grey."""

    torchvision_name: ClassVar[str] = "MNIST"
    home: ClassVar[str] = "https://ossci-datasets.s3.amazonaws.com/mnist/"
    checksums: ClassVar[Mapping[str, str]] = {
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    }
    folder: ClassVar[str] = "MNIST/raw"
    class_names: ClassVar[tuple[str, ...]] = tuple("0123456789")
