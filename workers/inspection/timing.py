"""How long a forward pass takes, and how much memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor, UntypedStorage, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from workers.modes import evaluating


@torch.inference_mode()
def forward_seconds(
    network: nn.Module, images: Tensor, *, warm_up: int, repeats: int
) -> list[float]:
    """Time forward passes in evaluation mode.

    Args:
        network: left as it was, modes included.
        images: one batch, on the network's device.
        warm_up: passes that are not timed: they allocate memory and choose algorithms.
        repeats: how many passes to time.

    Returns:
        Seconds of each pass, until its result is there.

    """
    seconds = []
    with evaluating(network):
        for _ in range(warm_up):
            network(images)
        for _ in range(repeats):
            _wait(images.device)
            start = time.perf_counter()
            network(images)
            _wait(images.device)
            seconds.append(time.perf_counter() - start)
    return seconds


@torch.no_grad()
def forward_bytes(network: nn.Module, images: Tensor) -> int:
    """Find the most memory that a forward pass in evaluation mode holds at a time.

    On top of weights and images. On CUDA it is what the allocator saw, workspaces included;
    elsewhere the results of all operations as long as they live. Arguments as ``forward_seconds``.
    """
    with evaluating(network):
        if images.device.type != "cuda":
            results = _LiveResults()
            with results:
                network(images)
            return results.peak
        torch.cuda.reset_peak_memory_stats(images.device)
        before = torch.cuda.memory_allocated(images.device)
        network(images)
        return int(torch.cuda.max_memory_allocated(images.device)) - before


def median_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Compute the median, and the median of the absolute deviations from it."""
    each = torch.tensor(values, dtype=torch.float64)
    median = each.quantile(0.5)
    return float(median), float((each - median).abs().quantile(0.5))


class _LiveResults(TorchDispatchMode):
    """Follows the memory of what operations return; views share that of their base."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._live: WeakSet[UntypedStorage] = WeakSet()

    def __torch_dispatch__(
        self,
        operation: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        self._live |= _storages(result) - _storages((args, kwargs))
        self.peak = max(self.peak, sum(storage.nbytes() for storage in self._live))
        return result


def _storages(values: Any) -> set[UntypedStorage]:
    return {leaf.untyped_storage() for leaf in tree_leaves(values) if isinstance(leaf, Tensor)}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
