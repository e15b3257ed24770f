"""Pruning half of a whole network by weight thresholding, on one thread of the CPU.

``ours`` is ``workers.pruning`` with its checks and masks; ``stable sort`` is the few lines that one
would write, a stable sort of all magnitudes; ``torch`` is ``global_unstructured`` of
``torch.nn.utils.prune``. All prune copies of one network, in turn, round after round, and are
compared within a round, by process CPU time; a ratio is their time over ours.

    python benchmarks/pruning.py
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils import prune as torch_prune

from workers.contracts import Component
from workers.pruning.methods.wt import WeightThresholding
from workers.pruning.prunable import count, prunable_weights
from workers.pruning.prune import prune
from workers.registry import MODELS

RATIO, ROUNDS = 0.5, 7
VGG16 = (64, 64, 128, 128, *[256] * 3, *[512] * 6)


def vgg16() -> nn.Module:
    """The convolutions and the classifier of VGG16 for small images: 14.7 million weights."""
    widths = zip((3, *VGG16), VGG16, strict=False)
    return nn.Sequential(*(nn.Conv2d(a, b, 3, bias=False) for a, b in widths), nn.Linear(512, 10))


def resnet20() -> nn.Module:
    return MODELS.create(Component("resnet20")).build(channels=3, classes=10)


def ours(network: nn.Module) -> None:
    prune(network, WeightThresholding(), RATIO)


@torch.no_grad()
def stable_sort(network: nn.Module) -> None:
    weights = list(prunable_weights(network).values())
    parameters = sum(p.numel() for p in network.parameters())
    nonzero = sum(int(p.count_nonzero()) for p in network.parameters())
    order = torch.cat([w.abs().flatten() for w in weights]).argsort(stable=True)
    mask = torch.ones(len(order))
    mask[order[: nonzero - round((1 - RATIO) * parameters)]] = 0
    for weight, part in zip(weights, mask.split([w.numel() for w in weights]), strict=True):
        weight.mul_(part.view_as(weight))


def torch_global(network: nn.Module) -> None:
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    counts = count(network)
    amount = counts.nonzero - round((1 - RATIO) * counts.parameters)
    chosen = [(layer, "weight") for layer in layers]
    torch_prune.global_unstructured(chosen, torch_prune.L1Unstructured, amount=amount)
    for layer in layers:
        torch_prune.remove(layer, "weight")


CONTESTANTS: dict[str, Callable[[nn.Module], None]] = {
    "ours": ours,
    "stable sort": stable_sort,
    "torch": torch_global,
}


def pruned(name: str, network: nn.Module) -> tuple[nn.Module, float]:
    made = copy.deepcopy(network)
    start = time.process_time()
    CONTESTANTS[name](made)
    return made, time.process_time() - start


def check(network: nn.Module) -> None:
    """Refuse to time anything that keeps other weights; torch breaks ties in its own way."""
    magnitudes = [w.detach().abs() for w in prunable_weights(network).values()]
    masks = {
        name: [w != 0 for w in prunable_weights(pruned(name, network)[0]).values()]
        for name in CONTESTANTS
    }
    for name, mask in masks.items():
        differs = [a != b for a, b in zip(masks["ours"], mask, strict=True)]
        tied = torch.cat([m[d] for m, d in zip(magnitudes, differs, strict=True)]).unique()
        assert len(tied) <= (name == "torch"), name
        assert sum(int(m.sum()) for m in mask) == sum(int(m.sum()) for m in masks["ours"]), name


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    heading = f"{'':12}{'weights':>12}{'pruned by':>14}"
    print(f"{heading}{'ms':>9}{'ratio':>7}{'lowest':>8}{'highest':>9}")
    for label, network in {"ResNet20": resnet20(), "VGG16": vgg16()}.items():
        check(network)
        rounds = [{n: pruned(n, network)[1] for n in CONTESTANTS} for _ in range(ROUNDS)]
        for name in CONTESTANTS:
            milliseconds = 1000 * statistics.median(r[name] for r in rounds)
            ratios = sorted(r[name] / r["ours"] for r in rounds)
            middle = statistics.median(ratios)
            print(
                f"{label:12}{count(network).prunable:12,}{name:>14}{milliseconds:9.1f}"
                f"{middle:7.2f}{ratios[0]:8.2f}{ratios[-1]:9.2f}"
            )


if __name__ == "__main__":
    main()
