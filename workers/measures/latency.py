"""What a network costs to run: time, memory, multiply-accumulates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from workers.contracts import Measure, Probe, Reading, Subject

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Latency(Measure):
    """Time forward passes, and count their memory and multiply-accumulates.

    Networks run as they are stored: pruned weights are zeros in tensors of the full size, which an
    ordinary processor multiplies like others. So ``nonzero_macs`` says what a sparse or shrunken
    network would save, and ``seconds`` that this one saves nothing.

    For each batch size, as ``at``: ``seconds``, the median of a pass, with the median absolute
    deviation as its spread; ``peak_bytes``, the most memory that a pass holds on top of weights and
    images. Of one image: ``macs`` and ``nonzero_macs``, of the prunable layers.

    Seconds depend on the machine and on what else it does, and are never the same twice: time on a
    machine that does nothing else, and compare only within one record.

    Attributes:
        batch_sizes: how many images pass at a time; test images repeat if there are too few.
        warm_up: passes before those that are timed.
        repeats: passes that are timed.

    """

    repeatable: ClassVar[bool] = False
    labels: ClassVar[tuple[str, ...]] = ("class", "map")

    batch_sizes: tuple[int, ...] = (1, 256)
    warm_up: int = 3
    repeats: int = 10

    def __post_init__(self) -> None:
        if not self.batch_sizes or min(self.batch_sizes) < 1:
            raise ValueError(f"expected batch sizes of at least 1, found {self.batch_sizes}")
        if len(set(self.batch_sizes)) < len(self.batch_sizes):
            raise ValueError(f"expected every batch size once, found {self.batch_sizes}")
        if self.repeats < 1 or self.warm_up < 0:
            found = f"{self.repeats} after {self.warm_up}"
            raise ValueError(f"expected at least 1 pass to time, after 0 or more, found {found}")

    def measure(self, subjects: Sequence[Subject], probe: Probe) -> Iterable[Reading]:
        """Time the networks one after the other."""
        import torch

        images, _ = probe.test_images(max(self.batch_sizes))
        indices = torch.arange(max(self.batch_sizes), device=images.device) % len(images)
        images = images[indices]
        for index, subject in enumerate(subjects):
            network = probe.network(subject)
            yield from _operations(index, network, images[:1])
            for size in self.batch_sizes:
                yield from self._batch(index, network, images[:size])

    def passes(self, subjects: int) -> float:
        """All repeats, the passes before them, and those that count memory and operations."""
        return float(subjects * (sum(self.batch_sizes) * (self.warm_up + self.repeats + 1) + 2))

    def _batch(self, subject: int, network: nn.Module, images: Tensor) -> Iterator[Reading]:
        from workers.inspection.timing import forward_bytes, forward_seconds, median_and_deviation

        peak, size = forward_bytes(network, images), float(len(images))
        seconds = forward_seconds(network, images, warm_up=self.warm_up, repeats=self.repeats)
        median, deviation = median_and_deviation(seconds)
        yield Reading(subject=subject, quantity="seconds", value=median, at=size, spread=deviation)
        yield Reading(subject=subject, quantity="peak_bytes", value=float(peak), at=size)


def _operations(subject: int, network: nn.Module, image: Tensor) -> Iterator[Reading]:
    from workers.pruning.size import layer_shapes, macs

    outputs = layer_shapes(network, image).values()
    dense = sum(shape.outputs * shape.weight[1] * shape.weight[2] for shape in outputs)
    for quantity, value in (("macs", dense), ("nonzero_macs", macs(network, image))):
        yield Reading(subject=subject, quantity=quantity, value=float(value))
