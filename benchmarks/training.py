"""One training epoch of ours against a plain PyTorch loop, on one thread of the CPU or on a GPU.

The plain loop is eager float32 in the default memory format, fed by a torchvision data set of PIL
images with random crop, flip, ToTensor and Normalize through a DataLoader without workers. Both
sides run in turn, round after round, and are compared within a round: on a CPU by process CPU time,
on a GPU by wall time until it is idle.

    python benchmarks/training.py                                  # synthetic images, 32 by 32, RGB
    python benchmarks/training.py --parquet train.parquet --rounds 7
    python benchmarks/training.py --device cuda --images 20000
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
from workers.training.device import resolve_device
from workers.training.device_data import DeviceData
from workers.training.train import train

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
        self.images = [Image.fromarray(image) for image in data.fit.pixels.cpu().numpy()]
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


Loader = DataLoader[tuple[torch.Tensor, int]]


def plain_epoch(network: nn.Module, loader: Loader, device: torch.device) -> None:
    network.to(device).train()
    sgd = torch.optim.SGD(network.parameters(), lr=RECIPE.lr, momentum=0.9, weight_decay=1e-4)
    for images, labels in loader:
        sgd.zero_grad()
        F.cross_entropy(network(images.to(device)), labels.to(device)).backward()
        sgd.step()


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """CPU seconds of this process, or on a GPU wall seconds until it has done its work."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    start = clock()
    work()
    wait()
    return clock() - start


def contestants(
    data: DeviceData, model: str, device: torch.device
) -> dict[str, Callable[[], object]]:
    """Name what is compared; the first of each group is what the others are divided by."""
    loader: Loader = DataLoader(PilImages(data), RECIPE.batch_size, shuffle=True)
    plug_in = MODELS.create(Component(model))

    def network() -> nn.Module:
        return plug_in.build(channels=3, classes=len(data.classes))

    def ours(recipe: Training, graph: bool = True) -> object:
        return train(network(), data, recipe, seed=0, device=device, graph=graph)

    half = replace(RECIPE, precision="bf16")
    eager: dict[str, Callable[[], object]] = {
        "epoch: fp32, no graph": lambda: ours(RECIPE, graph=False),
        "epoch: bf16, no graph": lambda: ours(half, graph=False),
    }
    return {
        "epoch: plain loop": lambda: plain_epoch(network(), loader, device),
        "epoch: ours, fp32": lambda: ours(RECIPE),
        "epoch: ours, bf16": lambda: ours(half),
        **(eager if device.type == "cuda" else {}),
        "images: DataLoader": lambda: list(loader),
        "images: ours": lambda: list(data.batches(RECIPE, 0, 0)),
    }


def report(seconds: dict[str, list[float]], images: int) -> None:
    print(f"{'':22}{'images / second':>18}{'ratio (median)':>16}{'lowest':>9}{'highest':>9}")
    for name, taken in seconds.items():
        group = name.split(":")[0]
        base = next(times for other, times in seconds.items() if other.startswith(group))
        ratios = sorted(b / t for b, t in zip(base, taken, strict=True))
        speed = images / statistics.median(taken)
        middle = statistics.median(ratios)
        print(f"{name:22}{speed:18,.0f}{middle:16.2f}{ratios[0]:9.2f}{ratios[-1]:9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parquet", type=Path, help="real images instead of synthetic ones")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:<index> or auto")
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = resolve_device(options.device)
    source: DataSet = Synthetic(count=options.images, holdout=0.0)
    if options.parquet:
        path = str(options.parquet.resolve())
        source = Parquet(train=path, test=path, limit=options.images, holdout=0.0)
    data = DeviceData(source, Path(), device)
    runs = contestants(data, options.model, device)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(options.rounds + 1):
        for name, work in runs.items():
            taken = seconds_of(work, device)
            if round_:  # The first round warms up.
                seconds[name].append(taken)
    print(f"{options.model}, {len(data.fit):,} images, {options.rounds} rounds, {device}, 1 thread")
    report(seconds, len(data.fit))


if __name__ == "__main__":
    main()
