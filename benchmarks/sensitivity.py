"""Sensitivities of SiPP and PFP against a loop over images and filters, on one thread of the CPU.

The loop is the definition as one would write it: image by image it unfolds what goes into a layer,
and for every filter and sign it divides the products by their sum. Its time is proportional to the
number of images, so it runs on a few and is scaled to all. Both sides run in turn, round after
round, and are compared within a round, by process CPU time; a ratio is the loop's time over ours.
The rows called "prune" set the loop alone against our whole call of ``prune``, with allocation,
propagation of zeros and the search for the ratio.

    python benchmarks/sensitivity.py                       # ResNet20, 183 images of 32 by 32
    python benchmarks/sensitivity.py --images 64 --loop-images 64    # without scaling
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workers.contracts import Component, Method
from workers.pruning.methods.pfp import PFP
from workers.pruning.methods.sipp import SiPP
from workers.pruning.prune import prune
from workers.pruning.sensitivity import channel_sensitivity, weight_sensitivity
from workers.registry import MODELS

RATIO = 0.7
EPSILON = torch.finfo(torch.float32).eps
Sensitivities = dict[str, Tensor]


def layer_inputs(network: nn.Module, image: Tensor) -> Iterator[tuple[str, nn.Module, Tensor]]:
    """What goes into the layers, as (layer's name, layer, patches of shape (terms, positions))."""
    found: list[tuple[str, nn.Module, Tensor]] = []
    handles = [
        module.register_forward_pre_hook(
            lambda layer, args, name=name: found.append((name, layer, args[0]))
        )
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    network(image)
    for handle in handles:
        handle.remove()
    for name, layer, inputs in found:
        for point in [inputs.relu(), (-inputs).relu()] if bool((inputs < 0).any()) else [inputs]:
            yield name, layer, patches(layer, point)


def patches(layer: nn.Module, inputs: Tensor) -> Tensor:
    if isinstance(layer, nn.Linear):
        return inputs.T
    assert isinstance(layer, nn.Conv2d)
    return F.unfold(inputs, layer.kernel_size, layer.dilation, layer.padding, layer.stride)[0]


def filter_shares(row: Tensor, columns: Tensor, join: Callable[[Tensor], Tensor]) -> Tensor:
    """Largest share of a filter's weights over both signs, positions joined, shape (terms,)."""
    shares = []
    for part in (row.clamp(min=0), row.clamp(max=0)):
        products = part[:, None] * columns
        total = products.sum(0)
        shares.append(join(torch.where(total.abs() <= EPSILON, 0, products / total)))
    return torch.maximum(*shares)


@torch.no_grad()
def loop(
    network: nn.Module, images: Tensor, join: Callable[[Tensor], Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """Share of each weight for each image, in the shape of the weight."""
    for image in images.split(1):
        for name, layer, columns in layer_inputs(network, image):
            rows = layer.weight.flatten(1)
            shares = torch.stack([filter_shares(row, columns, join) for row in rows])
            yield f"{name}.weight", shares.view_as(layer.weight)


def loop_weights(network: nn.Module, images: Tensor) -> Sensitivities:
    best: Sensitivities = {}
    for name, shares in loop(network, images, lambda products: products.mean(1)):
        best[name] = torch.maximum(best.get(name, shares), shares)
    return best


def loop_channels(network: nn.Module, images: Tensor) -> Sensitivities:
    best: Sensitivities = {}
    for name, shares in loop(network, images, lambda products: products.amax(1)):
        channels = shares.flatten(2).amax((0, 2)) if shares.dim() == 4 else shares.amax(0)
        best[name] = torch.maximum(best.get(name, channels), channels)
    return best


METHODS: dict[str, tuple[Callable[..., Sensitivities], Callable[..., Sensitivities]]] = {
    "SiPP": (lambda n, x: weight_sensitivity(n, [x], over_positions="mean"), loop_weights),
    "PFP": (lambda n, x: channel_sensitivity(n, [x]), loop_channels),
}


def whole_prune(method: Method) -> Callable[[nn.Module, Tensor], object]:
    """Prune a copy to 0.7, with samples in batches as a chain draws them."""

    def run(network: nn.Module, images: Tensor) -> object:
        labels = torch.arange(len(images)) % 10
        samples = list(zip(images.split(32), labels.split(32), strict=True))
        return prune(copy.deepcopy(network), method, RATIO, samples=samples)

    return run


TIMED: dict[str, tuple[Callable[..., object], Callable[..., object]]] = {
    **METHODS,
    "SiPP, prune": (whole_prune(SiPP()), loop_weights),
    "PFP, prune": (whole_prune(PFP()), loop_channels),
}


def network_of(model: str) -> nn.Module:
    """Normalisation as after training on these images, so that inputs vary in size and sign."""
    torch.manual_seed(0)
    made = MODELS.create(Component(model)).build(channels=3, classes=10)
    made.train()
    with torch.no_grad():
        for _ in range(20):
            made(torch.randn(64, 3, 32, 32))
    return made.eval()


def check(network: nn.Module, images: Tensor) -> None:
    """Refuse to time what differs."""
    for ours, theirs in METHODS.values():
        expected = theirs(network, images)
        for name, found in ours(network, images).items():
            torch.testing.assert_close(found, expected[name], rtol=0, atol=1e-4)


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=183)
    parser.add_argument("--loop-images", type=int, default=16, help="the loop runs on, then scaled")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="resnet20")
    options = parser.parse_args()
    torch.set_num_threads(1)
    network, images = network_of(options.model), torch.randn(options.images, 3, 32, 32)
    few = images[: options.loop_images]
    scale = len(images) / len(few)
    check(network, images[:2])
    print(f"{options.model}, {len(images)} images, {options.rounds} rounds, 1 thread")
    print(f"the loop runs on {len(few)} images; its time is multiplied by {scale:.4g}")
    print(f"{'':14}{'loop, s':>10}{'ours, s':>10}{'ratio (median)':>16}{'lowest':>9}{'highest':>9}")
    for name, (ours, theirs) in TIMED.items():
        rounds = [
            (
                scale * cpu_seconds(lambda: theirs(network, few)),  # noqa: B023
                cpu_seconds(lambda: ours(network, images)),  # noqa: B023
            )
            for _ in range(options.rounds)
        ]
        loops, whole = zip(*rounds, strict=True)
        ratios = sorted(a / b for a, b in rounds)
        print(
            f"{name:14}{statistics.median(loops):10.2f}{statistics.median(whole):10.2f}"
            f"{statistics.median(ratios):16.1f}{ratios[0]:9.1f}{ratios[-1]:9.1f}"
        )


if __name__ == "__main__":
    main()
