"""AutoAttack and its parts against the package torchattacks: what is left right, and the time.

A small convolutional network is trained, and both attack the test images that it gets right, with
the steps, targets and queries of the version ``standard``, which the package has to be asked for.
Without the package only our columns are printed. Times are CPU time of one thread.

    python benchmarks/attacks.py                                    # digits, l∞
    python benchmarks/attacks.py --norm l2 --epsilon 0.3 0.6 1.0
    python benchmarks/attacks.py --cifar10 FOLDER --images 200      # train.parquet, test.parquet
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.attacks.auto_attack import auto_attack
from workers.attacks.auto_pgd import auto_pgd, targeted_logits_ratio
from workers.attacks.balls import random_point, size
from workers.attacks.fab import boundary_attack
from workers.attacks.gradient_steps import cross_entropy
from workers.attacks.logits import rivals
from workers.attacks.square import square_attack
from workers.contracts import Component, Images
from workers.registry import DATA_SETS

LIMIT = 10_000
STEPS, TARGETS, QUERIES = 100, 9, 5000
Attacker = Callable[[Tensor, Tensor], Tensor]


def trained(data: Images, epochs: int) -> nn.Module:
    """Two convolutions and two layers, normalisation and all, on pixels in [0, 1]."""
    channels, side = data.pixels.shape[3], data.pixels.shape[1]
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    pixels, labels = tensors(data)
    for _ in range(epochs):
        for batch in torch.randperm(len(pixels)).split(128):
            optimiser.zero_grad()
            F.cross_entropy(network(pixels[batch]), labels[batch]).backward()
            optimiser.step()
    return network.eval().requires_grad_(False)


def tensors(data: Images, count: int | None = None) -> tuple[Tensor, Tensor]:
    pixels = torch.from_numpy(data.pixels[:count]).permute(0, 3, 1, 2).float() / 255
    # The package fails on gradients that lie in memory as the decoded images do.
    return pixels.contiguous(), torch.from_numpy(data.labels[:count]).long()


def ours(network: nn.Module, norm: Any, epsilon: float) -> dict[str, Attacker]:
    draws = torch.Generator().manual_seed(0)
    ball = {"norm": norm, "epsilon": epsilon}

    def climb(clean: Tensor, labels: Tensor, loss: Any) -> Tensor:
        start = random_point(clean, norm, epsilon, draws)
        return auto_pgd(network, clean, labels, start=start, loss=loss, steps=STEPS, **ball)[0]

    def worst(each: Callable[..., Tensor], clean: Tensor, labels: Tensor) -> Tensor:
        """Aim at every target in turn, on the images that are still right."""
        attacked, left = clean.clone(), torch.ones_like(labels, dtype=torch.bool)
        for target in rivals(network(clean), labels, TARGETS).unbind(1):
            attacked[left] = each(clean[left], labels[left], target[left])
            left = network(attacked).argmax(1) == labels
        return attacked

    def ratio(clean: Tensor, labels: Tensor, target: Tensor) -> Tensor:
        return climb(clean, labels, partial(targeted_logits_ratio, targets=target))

    def boundary(clean: Tensor, labels: Tensor, target: Tensor) -> Tensor:
        points, distance = boundary_attack(network, clean, labels, target, norm=norm, steps=STEPS)
        return torch.where((distance <= epsilon)[:, None, None, None], points, clean)

    def squares(clean: Tensor, labels: Tensor) -> Tensor:
        left = torch.ones_like(labels, dtype=torch.bool)
        asked = {"left": left, "queries": QUERIES, "generator": draws, **ball}
        return square_attack(network, clean, labels, **asked)[0]

    budget = {"steps": STEPS, "targets": TARGETS, "queries": QUERIES}
    return {
        "apgd-ce": lambda x, y: climb(x, y, cross_entropy),
        "apgd-t": partial(worst, ratio),
        "fab-t": partial(worst, boundary),
        "square": squares,
        "autoattack": lambda x, y: auto_attack(network, x, y, draws, **ball, **budget),
    }


def theirs(network: nn.Module, norm: str, epsilon: float) -> dict[str, Attacker]:
    if find_spec("torchattacks") is None:
        return {}
    import torchattacks

    ball = {"norm": {"linf": "Linf", "l2": "L2"}[norm], "eps": epsilon}
    four = {
        "apgd-ce": torchattacks.APGD(network, steps=STEPS, loss="ce", **ball),
        "apgd-t": torchattacks.APGDT(network, steps=STEPS, **ball),
        "fab-t": torchattacks.FAB(network, steps=STEPS, multi_targeted=True, **ball),
        "square": torchattacks.Square(network, n_queries=QUERIES, resc_schedule=False, **ball),
    }
    return {**four, "autoattack": torchattacks.MultiAttack(list(four.values()))}


def judged(
    network: nn.Module, attack: Attacker, clean: Tensor, labels: Tensor, norm: Any, epsilon: float
) -> tuple[float, float]:
    """Return the accuracy in % and the seconds; a point outside the ball counts as right."""
    start = time.process_time()
    points = attack(clean, labels).detach()
    seconds = time.process_time() - start
    inside = (size(points - clean, norm) <= epsilon + 1e-5) & (points - 0.5).abs().flatten(1).le(
        0.5 + 1e-6
    ).all(1)
    return 100 * float((~(inside & (network(points).argmax(1) != labels))).float().mean()), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--norm", choices=["linf", "l2"], default="linf")
    parser.add_argument("--epsilon", type=float, nargs="+", default=[0.02, 0.05, 0.1])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--cifar10", type=Path, help="a folder of train.parquet and test.parquet")
    options = parser.parse_args()
    torch.set_num_threads(1)
    files = {"train": "train.parquet", "test": "test.parquet", "limit": LIMIT}
    source = Component("parquet", files) if options.cifar10 else Component("digits")
    data, root = DATA_SETS.create(source), options.cifar10 or Path()
    network = trained(data.load("train", root), options.epochs)
    clean, labels = tensors(data.load("test", root), options.images)
    right = network(clean).argmax(1) == labels
    print(f"{len(clean)} images, {100 * float(right.float().mean()):.1f} % right; of these:")
    print(
        f"{'ε':>7} {'attack':12}{'ours, %':>9}{'package, %':>12}{'ours, s':>10}{'package, s':>12}"
    )
    for epsilon in options.epsilon:
        packaged = theirs(network, options.norm, epsilon)
        for name, attack in ours(network, options.norm, epsilon).items():
            sides = [attack, packaged[name]] if packaged else [attack]
            images = (clean[right], labels[right], options.norm, epsilon)
            found = [judged(network, one, *images) for one in sides]
            shares = "".join(
                f"{share:>{w}.1f}" for (share, _), w in zip(found, (9, 12), strict=False)
            )
            times = "".join(
                f"{seconds:>{w}.1f}" for (_, seconds), w in zip(found, (10, 12), strict=False)
            )
            print(f"{epsilon:7.4g} {name:12}{shares}{times}", flush=True)


if __name__ == "__main__":
    main()
