"""Test accuracy after training in half precision against float32, seed by seed.

Both trainings of a seed start from the same weights and see the same images in the same order. What
is printed is the mean over the seeds of (half − float32), with Student's t interval.

    python benchmarks/precision.py --train train.parquet --test test.parquet
    python benchmarks/precision.py --train ... --test ... --model resnet20 --epochs 60 --seeds 10
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from scipy import stats

from workers.contracts import Component, Images, Model, Training
from workers.data.parquet import Parquet
from workers.images.normalisation import normalise
from workers.registry import MODELS
from workers.training.device import resolve_device
from workers.training.device_data import DeviceData
from workers.training.train import train

BATCH = 500


@dataclass(frozen=True)
class Comparison:
    """What both trainings of a seed share."""

    model: Model
    data: DeviceData
    test: Images
    recipe: Training
    device: torch.device

    def accuracy(self, seed: int, precision: str) -> float:
        """Train in ``precision`` and return the test accuracy in %, of a float32 forward pass."""
        torch.manual_seed(seed)
        network = self.model.build(channels=self.data.channels, classes=len(self.data.classes))
        recipe = replace(self.recipe, precision=precision)  # type: ignore[arg-type]
        train(network, self.data, recipe, seed=seed, device=self.device)
        return self._tested(network)

    @torch.inference_mode()
    def _tested(self, network: torch.nn.Module) -> float:
        right = 0
        labels = torch.from_numpy(self.test.labels).to(self.device)
        pixels = torch.from_numpy(self.test.pixels)
        for images, truth in zip(pixels.split(BATCH), labels.split(BATCH), strict=True):
            batch = normalise(images.to(self.device), self.data.mean, self.data.std)
            right += int((network(batch).argmax(1) == truth).sum())
        return 100 * right / len(labels)


def interval(differences: list[float], confidence: float = 0.95) -> tuple[float, float]:
    """Return the mean and half the width of its t interval."""
    spread = statistics.stdev(differences) / math.sqrt(len(differences))
    quantile = float(stats.t.ppf((1 + confidence) / 2, len(differences) - 1))
    return statistics.mean(differences), quantile * spread


def compare(comparison: Comparison, precision: str, seeds: int) -> None:
    differences = []
    for seed in range(seeds):
        start = time.monotonic()
        whole, half = (comparison.accuracy(seed, name) for name in ("fp32", precision))
        differences.append(half - whole)
        taken = time.monotonic() - start
        print(
            f"seed {seed}: fp32 {whole:.2f} %, {precision} {half:.2f} % ({taken:.0f} s)", flush=True
        )
    mean, half_width = interval(differences)
    print(
        f"{precision} - fp32: {mean:+.2f} points, 95 % interval "
        f"[{mean - half_width:+.2f}, {mean + half_width:+.2f}], {seeds} seeds"
    )


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="Parquet, as of Hugging Face")
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--images", type=int, default=4000, help="to train on")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=5, help="at least 2")
    parser.add_argument("--model", default="resnet8")
    parser.add_argument("--precision", choices=["bf16", "fp16"], default="bf16")
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    torch.set_num_threads(1)
    device = resolve_device(options.device)
    files = [str(path.resolve()) for path in (options.train, options.test)]
    source = Parquet(train=files[0], test=files[1], holdout=0.0)
    data = DeviceData(replace(source, limit=options.images), Path(), device)
    recipe = Training(
        epochs=options.epochs,
        batch_size=128,
        lr=0.1,
        crop=4,
        flip=True,
        schedule="cosine",
        warmup=1,
    )
    model = MODELS.create(Component(options.model))
    test = source.load("test", Path())
    print(
        f"{options.model}, {len(data.fit):,} images, {options.epochs} epochs, {device}", flush=True
    )
    compare(Comparison(model, data, test, recipe, device), options.precision, options.seeds)


if __name__ == "__main__":
    main()
