"""Cost of evaluating a suite against the bare forward passes, and memory of one more worker.

The suite is the clean images and the 19 common corruptions of them, corrupted beforehand as for all
networks after the first. Bare is the network on normalised batches that are there already, at the
best batch size. Both run in turn, task by task: in CPU time on the CPU, by wall clock on CUDA.

A second process then predicts a suite of three corruptions at five severities, of which the first
has all images mapped; what no file backs is what it adds to the memory of a machine.

    python benchmarks/evaluation.py
    python benchmarks/evaluation.py --images 10000 --device cuda --rounds 5
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor, nn

from workers.contracts import Component, Images, Runtime, TaskCell
from workers.evaluation.evaluate import evaluate
from workers.evaluation.results import to_parquet
from workers.images.normalisation import normalise
from workers.modes import evaluating
from workers.registry import MODELS, TASKS

MEAN, STD = torch.full((3,), 0.5), torch.full((3,), 0.25)
BATCHES = {"cpu": (64, 128, 256), "cuda": (1024, 2048, 4096)}
CORRUPTIONS = tuple(name for name in TASKS.names() if TASKS.get(name).corrupts)
SUITE = tuple(
    TaskCell(key=name, label=name, task=Component(name)) for name in ("nominal", *CORRUPTIONS)
)
SHARED = tuple(
    TaskCell(key=f"{name}-{severity}", label=name, task=Component(name, {"severity": severity}))
    for name in ("brightness", "contrast", "saturate")
    for severity in (1, 2, 3, 4, 5)
)


class Bench:
    """A network with random weights, and random images."""

    def __init__(self, network: nn.Module, images: int, device: str, cache: Path) -> None:
        draw = np.random.default_rng(0)
        pixels = draw.integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)
        self.network = network.eval().to(device)
        self.test = Images(pixels, draw.integers(0, 10, images))
        self.device, self.cache = device, cache

    def suite(self, *tasks: TaskCell, count: int | None = None):
        return evaluate(
            self.network,
            tasks,
            Images(self.test.pixels[:count], self.test.labels[:count]),
            mean=MEAN,
            std=STD,
            fingerprint="random",
            runtime=Runtime(cache=self.cache),
            device=self.device,
        )

    def ready(self, count: int | None = None) -> Tensor:
        pixels = torch.from_numpy(self.test.pixels[:count]).to(self.device)
        return normalise(pixels, MEAN.to(self.device), STD.to(self.device))

    def timed(self, work: Callable[[], object]) -> float:
        clock = time.process_time if self.device == "cpu" else time.perf_counter
        start = clock()
        work()
        if self.device != "cpu":
            torch.cuda.synchronize()
        return clock() - start


@torch.inference_mode()
def forward(network: nn.Module, images: Tensor, size: int) -> None:
    for batch in images.split(size):
        network(batch)


def compare(bench: Bench, rounds: int) -> None:
    ready, sizes = bench.ready(), BATCHES[bench.device]
    for size in sizes:
        forward(bench.network, ready[:size], size)
    list(bench.suite(*SUITE))
    ratios, speeds = [], []
    with evaluating(bench.network):
        for _ in range(rounds):
            bare = dict.fromkeys(sizes, 0.0)
            whole, made, results = 0.0, bench.suite(*SUITE), []
            for _ in SUITE:
                whole += bench.timed(lambda made=made, results=results: results.append(next(made)))
                for size in sizes:
                    bare[size] += bench.timed(lambda size=size: forward(bench.network, ready, size))
            whole += bench.timed(lambda results=results: to_parquet(results))
            best = min(bare, key=bare.__getitem__)
            ratios.append(whole / bare[best])
            speeds.append(len(SUITE) * len(ready) / whole)
            print(
                f"suite {whole:7.2f} s, bare {bare[best]:7.2f} s in batches of {best}: "
                f"ratio {ratios[-1]:.3f}",
                flush=True,
            )
    print(
        f"ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}), "
        f"{statistics.median(speeds):,.0f} images/s"
    )


def overhead(bench: Bench) -> None:
    one = bench.ready(1)
    list(bench.suite(*SUITE, count=1))
    suite = [bench.timed(lambda: list(bench.suite(*SUITE, count=1))) for _ in range(9)]
    bare = [bench.timed(lambda: forward(bench.network, one, 1)) for _ in range(99)]
    each = statistics.median(suite) / len(SUITE) - statistics.median(bare)
    print(f"overhead {1000 * each:.2f} ms for each task")


def memory(cache: Path) -> tuple[int, int]:
    """Return the bytes of this process that no file backs, and its share of the mapped images.

    Not all of its unique set size, which rises and falls with who else uses the same libraries.
    """
    rollup = Path("/proc/self/smaps_rollup").read_text()
    anonymous = 1024 * int(rollup.partition("Anonymous:")[2].split()[0])
    mapped, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if not line.partition(" ")[0].endswith(":"):
            inside = str(cache) in line
        elif inside and line.startswith("Pss:"):
            mapped += 1024 * int(line.split()[1])
    return anonymous, mapped


def linear(images: int, cache: Path) -> Bench:
    """A network that needs next to no memory of its own."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    return Bench(network, images, "cpu", cache)


def read_as_second(bench: Bench) -> None:
    """Evaluate clean images, then the suite, and say how much memory the latter added at most."""
    list(bench.suite(SUITE[0]))
    before, _ = memory(bench.cache)
    seen = [memory(bench.cache) for _ in bench.suite(*SHARED)]
    own, shared = (max(column) for column in zip(*seen, strict=True))
    data = len(SHARED) * bench.test.pixels.nbytes
    print(
        f"a second process adds {(own - before) / data:.1%} of its own and holds "
        f"{shared / data:.1%} at a time as its share of the {data / 1e6:,.0f} MB of images"
    )


def second_process(images: int, cache: Path) -> None:
    """Start it while this one has all images mapped and read, as a first worker has."""
    list(linear(images, cache).suite(*SHARED))
    mapped = [np.load(path, mmap_mode="r") for path in (cache / "inputs").glob("*.npy")]
    assert sum(int(one.sum()) for one in mapped) > 0
    arguments = [f"--mapped={images}", f"--reads={cache}"]
    # Freed memory goes back to the system at once, and does not count as if it were in use.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "262144"}
    subprocess.run([sys.executable, __file__, *arguments], check=True, env=environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--mapped", type=int, default=10_000, help="images for two processes")
    parser.add_argument("--reads", type=Path, help="be the second process, on this cache")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.reads:
        read_as_second(linear(options.mapped, options.reads))
        return
    torch.manual_seed(0)
    network = MODELS.create(Component(options.model)).build(channels=3, classes=10)
    with TemporaryDirectory() as folder:
        bench = Bench(network, options.images, options.device, Path(folder))
        compare(bench, options.rounds)
        overhead(bench)
        second_process(options.mapped, Path(folder) / "shared")


if __name__ == "__main__":
    main()
