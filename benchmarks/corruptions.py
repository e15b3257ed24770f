"""All 19 corruptions against their definitions: one thread, one image at a time on the other side.

Process CPU seconds for 1,000 colour images, severities 1, 3 and 5 averaged; both sides in turn,
medians of all rounds. There are two tables, each against what defines it:

- ``imagenet``: the package ``imagecorruptions``, where it is installed (it is no dependency; see
  ``reference_package.py`` for what it takes to run).
- ``cifar``: loops over NumPy, SciPy, Pillow and OpenCV that take the published steps, and are
  leaner than the published code, which has no package. Spatter is left out without OpenCV, and
  the table altogether at other sizes than CIFAR's.

Sums come twice, for frost reads its picture anew for every image over there, glass blur is a loop
over pixels, and spatter is almost all OpenCV.

    python benchmarks/corruptions.py --rounds 5
    python benchmarks/corruptions.py --size 224 --images 40 --per-image 4 --rounds 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import mean, median

import numpy as np
import per_image_corruptions
import per_image_weather
import torch
from per_image_corruptions import Levels, named_loops
from reference_package import reference
from scipy.ndimage import gaussian_filter

from workers.contracts import Component
from workers.evaluation.inputs import corrupt_block
from workers.evaluation.seeding import block_size
from workers.registry import TASKS

Corrupt = Callable[[Levels, str, int], Levels]
SEVERITIES = (1, 3, 5)
APART = {"glass_blur", "frost", "spatter"}
RANDOM = APART | {"motion_blur", "elastic_transform", "snow", "fog"}
LOOPS = named_loops(vars(per_image_corruptions)) | named_loops(vars(per_image_weather))
CIFAR_SIZE = 32


def photos(images: int, size: int) -> Levels:
    """Smooth random colours with some texture."""
    rough = np.random.default_rng(0).uniform(0, 255, (images, size, size, 3))
    smooth = gaussian_filter(rough, (0, 2, 2, 0)) * 4 - 384
    return np.clip(smooth + 0.2 * rough, 0, 255).astype(np.uint8)


def loops(images: Levels, name: str, severity: int) -> Levels:
    loop = LOOPS[name]
    return np.stack([np.uint8(np.clip(loop(image, severity), 0, 1) * 255) for image in images])


def vectorised(table: str) -> Corrupt:
    def all_images(images: Levels, name: str, severity: int) -> Levels:
        task = TASKS.create(Component(name, {"severity": severity, "severities": table}))
        blocks = range(-(-len(images) // block_size(images.shape)))
        return np.concatenate([corrupt_block(images, task, name, block) for block in blocks])

    return all_images


def check(table: str, other: Corrupt, names: list[str], images: Levels) -> None:
    """Refuse to time something else: equal to a level, or a like mean change where it is random."""
    for name in names:
        ours, theirs = (f(images, name, 3).astype(int) for f in (vectorised(table), other))
        if name.endswith("noise") or name in RANDOM:
            changes = [np.abs(made - images.astype(int)).mean() for made in (ours, theirs)]
            # The package's photographs of frost are other pictures than ours.
            close = 0.5 if name == "frost" else 0.1
            np.testing.assert_allclose(changes[0], changes[1], rtol=close, err_msg=name)
        else:
            assert np.abs(ours - theirs).mean() <= 0.5, name


def seconds(corrupt: Corrupt, images: Levels, name: str) -> float:
    """CPU seconds for 1,000 images."""

    def one(severity: int) -> float:
        start = time.process_time()
        corrupt(images, name, severity)
        return (time.process_time() - start) * 1000 / len(images)

    return mean(one(severity) for severity in SEVERITIES)


def compare(
    table: str, other: Corrupt, names: list[str], images: Levels, rounds: int, per_image: int
) -> None:
    if images.shape[1] == CIFAR_SIZE:
        check(table, other, names, images[:200])
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            ours = seconds(vectorised(table), images, name)
            taken[name].append((ours, seconds(other, images[:per_image], name)))
    medians = {name: (median(a), median(b)) for name, (a, b) in _columns(taken).items()}
    print(f"{'corruption':34}{'vectorised':>12}{'per image':>12}{'ratio':>8}")
    for name in names:
        print_row(name, [medians[name]])
    print_row(f"sum of {len(names)}", list(medians.values()))
    rest = [pair for name, pair in medians.items() if name not in APART]
    print_row("without " + ", ".join(sorted(APART)), rest)


def _columns(
    taken: dict[str, list[tuple[float, float]]],
) -> dict[str, tuple[list[float], list[float]]]:
    return {name: ([a for a, _ in pairs], [b for _, b in pairs]) for name, pairs in taken.items()}


def print_row(name: str, pairs: list[tuple[float, float]]) -> None:
    ours, theirs = (sum(side) for side in zip(*pairs, strict=True))
    print(f"{name:34}{ours:12.4f}{theirs:12.4f}{theirs / ours:8.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=CIFAR_SIZE, help="side of the images, pixels")
    parser.add_argument("--images", type=int, default=1024, help="how many, where vectorised")
    parser.add_argument("--per-image", type=int, default=40, help="how many, one by one")
    options = parser.parse_args()
    torch.set_num_threads(1)
    images, names = photos(options.images, options.size), sorted(LOOPS)
    print(f"{options.images:,} images of {options.size} by {options.size}, {options.rounds} rounds")
    if package := reference():
        print("\nimagenet severities, against the package imagecorruptions")
        compare("imagenet", package, names, images, options.rounds, options.per_image)
    else:
        print("\nimagenet severities: the package imagecorruptions is not installed")
    if options.size == CIFAR_SIZE:
        print("\ncifar severities, against the definitions in loops")
        some = [name for name in names if name != "spatter" or find_spec("cv2")]
        compare("cifar", loops, some, images, options.rounds, options.per_image)


if __name__ == "__main__":
    main()
