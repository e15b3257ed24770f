"""One training epoch of ours against a plain PyTorch loop, on one thread of the CPU.

The plain loop is eager float32 in the default memory format, fed by a torchvision data set of PIL
images with random crop, flip, ToTensor and Normalize through a DataLoader without workers. Both
sides run in turn, round after round, and are compared within a round, by process CPU time.

    python benchmarks/training.py                                  # synthetic images, 32 by 32, RGB
    python benchmarks/training.py --parquet train.parquet --rounds 7
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from workers.contracts import Component, DataSet, Images, Split, Training
from workers.data.parquet import Parquet
from workers.registry import MODELS
from workers.training.device_data import DeviceData
from workers.training.train import train

CPU = torch.device("cpu")
RECIPE = Training(epochs=1, batch_size=128, crop=4, flip=True)


@dataclass(frozen=True, kw_only=True)
class Synthetic(DataSet):
    """Random images, 32 by 32, RGB, of ten classes."""

    count: int

    def load(self, split: Split, root: Path) -> Images:
        random = np.random.default_rng(0)
        pixels = random.integers(0, 256, (self.count, 32, 32, 3), dtype=np.uint8)
        return Images(pixels, random.integers(0, 10, self.count))

    def classes(self, root: Path) -> tuple[str, ...]:
        return tuple("0123456789")


class PilImages(Dataset[tuple[torch.Tensor, int]]):
    """The same images the usual way: PIL, transformed one by one."""

    def __init__(self, data: DeviceData) -> None:
        self.images = [Image.fromarray(image) for image in data.fit.pixels.numpy()]
        self.labels = data.fit.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(data.fit.pixels.shape[1], padding=4),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(data.mean.tolist(), data.std.tolist()),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images[index]), self.labels[index]


def plain_epoch(network: nn.Module, loader: DataLoader[tuple[torch.Tensor, int]]) -> None:
    sgd = torch.optim.SGD(network.parameters(), lr=RECIPE.lr, momentum=0.9, weight_decay=1e-4)
    network.train()
    for images, labels in loader:
        sgd.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        sgd.step()


def our_epoch(network: nn.Module, data: DeviceData, recipe: Training) -> None:
    train(network, data, recipe, seed=0, device=CPU)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def contestants(data: DeviceData, model: str) -> dict[str, Callable[[], object]]:
    """Name what is compared; the first of each group is what the others are divided by."""
    loader = DataLoader(PilImages(data), RECIPE.batch_size, shuffle=True)
    plug_in = MODELS.create(Component(model))

    def network() -> nn.Module:
        return plug_in.build(channels=3, classes=len(data.classes))

    return {
        "epoch: plain loop": lambda: plain_epoch(network(), loader),
        "epoch: ours, fp32": lambda: our_epoch(network(), data, RECIPE),
        "epoch: ours, bf16": lambda: our_epoch(network(), data, replace(RECIPE, precision="bf16")),
        "images: DataLoader": lambda: list(loader),
        "images: ours": lambda: list(data.batches(RECIPE, 0, 0)),
    }


def report(seconds: dict[str, list[float]], images: int) -> None:
    print(f"{'':20}{'images / CPU second':>20}{'ratio (median)':>16}{'lowest':>9}{'highest':>9}")
    for name, taken in seconds.items():
        group = name.split(":")[0]
        base = next(times for other, times in seconds.items() if other.startswith(group))
        ratios = sorted(b / t for b, t in zip(base, taken, strict=True))
        speed = images / statistics.median(taken)
        middle = statistics.median(ratios)
        print(f"{name:20}{speed:20,.0f}{middle:16.2f}{ratios[0]:9.2f}{ratios[-1]:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parquet", type=Path, help="real images instead of synthetic ones")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="resnet20")
    options = parser.parse_args()
    torch.set_num_threads(1)
    source: DataSet = Synthetic(count=options.images, holdout=0.0)
    if options.parquet:
        path = str(options.parquet.resolve())
        source = Parquet(train=path, test=path, limit=options.images, holdout=0.0)
    data = DeviceData(source, Path(), CPU)
    runs = contestants(data, options.model)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(options.rounds + 1):
        for name, work in runs.items():
            taken = cpu_seconds(work)
            if round_:  # The first round warms up.
                seconds[name].append(taken)
    print(f"{options.model}, {len(data.fit):,} images, {options.rounds} rounds, 1 thread")
    report(seconds, len(data.fit))


if __name__ == "__main__":
    main()
