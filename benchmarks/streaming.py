"""Images per second of StreamedData against a DataLoader over torchvision's ImageFolder.

Both make normalised float32 batches of random crops, 224 by 224, half of them mirrored, of the same
JPEG files, which the benchmark writes; the one with decoding threads, the other with as many
worker processes. Epochs of both run in turn and are compared round by round, by wall clock.

    python benchmarks/streaming.py
    python benchmarks/streaming.py --width 1000 --height 750    # larger photographs
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from workers.contracts import Training
from workers.data.imagenet import ImageNet
from workers.training.streamed_data import StreamedData

RECIPE = Training(epochs=1, batch_size=64, flip=True)


def write_photos(folder: Path, count: int, width: int, height: int) -> None:
    """Write smooth noise with a little grain: JPEG files of about the size of photographs."""
    random = np.random.default_rng(0)
    for index in range(count):
        coarse = random.integers(0, 256, (height // 25, width // 25, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        grain = random.normal(0, 8, (height, width, 3))
        photo = Image.fromarray(np.clip(np.asarray(smooth) + grain, 0, 255).astype(np.uint8))
        for split in ("train", "val"):
            path = folder / "imagenet" / split / f"n{index % 4:08}" / f"{index}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            photo.save(path, "JPEG", quality=90)


def loader(folder: Path, workers: int) -> DataLoader[Any]:
    """The usual pipeline for ImageNet; its processes live on from epoch to epoch."""
    steps = [
        transforms.RandomResizedCrop(224),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(ImageNet.mean, ImageNet.std),
    ]
    data = ImageFolder(str(folder / "imagenet" / "train"), transforms.Compose(steps))
    return DataLoader(
        data, RECIPE.batch_size, shuffle=True, num_workers=workers, persistent_workers=True
    )


def seconds(epoch: Iterable[Any]) -> float:
    start = time.perf_counter()
    for _ in epoch:
        pass
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--width", type=int, default=500)
    parser.add_argument("--height", type=int, default=375)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as root:
        write_photos(Path(root), options.images, options.width, options.height)
        usual = loader(Path(root), options.workers)
        streamed = StreamedData(
            ImageNet(holdout=0.0), Path(root), torch.device("cpu"), threads=options.workers
        )
        contestants: dict[str, Callable[[int], Iterable[Any]]] = {
            "DataLoader": lambda _: usual,
            "StreamedData": lambda epoch: streamed.batches(RECIPE, 0, epoch),
        }
        # The first round warms up.
        rounds = [
            {name: seconds(epoch(number)) for name, epoch in contestants.items()}
            for number in range(options.rounds + 1)
        ][1:]
    for name in contestants:
        speed = options.images / statistics.median(taken[name] for taken in rounds)
        print(f"{name:14}{speed:8.0f} images/s")
    ratios = sorted(taken["DataLoader"] / taken["StreamedData"] for taken in rounds)
    print(f"{'ratio':14}{statistics.median(ratios):8.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
