"""What a network costs on this machine, by timing a few steps of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch

from workers.checkpoint import architecture, build, dump
from workers.contracts import Chain, Cost, Runtime
from workers.registry import DATA_SETS
from workers.training.device import resolve_device
from workers.training.loading import load_train_data
from workers.training.step import backward

WARM_UP = 2
STEPS = range(3, 16)
"""Timed at least, and at most."""
SECONDS = 0.5
"""What the timed steps may take in all, once there are enough of them."""
PREDICTION_BYTES = 14
"""Of an example on a task in Parquet: 14.0 at an accuracy of 53 %; 13.1 to 14.8 of drawn logits."""
COUNT_BYTES = 24
"""The same for segmentation: 20 to 28 (with counts drawn at random)."""


def probe(chain: Chain, runtime: Runtime) -> Cost | None:
    """Time a few steps of the chain's network; None if its data are not here.

    Nothing is downloaded, neither data nor published weights.
    """
    data_set = DATA_SETS.create(chain.data)
    if not data_set.available(runtime.data_root):
        return None
    start = time.perf_counter()
    torch.set_num_threads(runtime.threads)
    device = resolve_device(runtime.device)
    data = load_train_data(data_set, runtime.data_root, device, threads=runtime.threads)
    made_as = architecture(chain.model, channels=data.channels, classes=len(data.classes))
    network = build(made_as).to(device).to(memory_format=torch.channels_last)
    # Without its mix, which would corrupt a whole epoch of images for the first batch.
    images, labels = next(data.batches(replace(chain.training, mix=()), 0, 0))
    examples = data_set.count("test", runtime.data_root)
    loading = (time.perf_counter() - start) * (1 + examples / max(len(data.fit), 1))
    steps = data.steps_per_epoch(chain.training)
    # The optimiser is left out: a hundredth of the time, but the import costs seconds and 150 MB.
    step = seconds_each(lambda: backward(network, images, labels, chain.training))
    network.eval()
    prediction = seconds_each(lambda: _predict(network, images)) / len(images)
    each = COUNT_BYTES if data_set.labels == "map" else PREDICTION_BYTES
    return Cost(
        epoch_seconds=steps * step,
        cell_seconds=examples * prediction,
        network_bytes=len(dump(network)),
        cell_bytes=round(each * examples),
        input_bytes=examples * images[0].numel(),  # a byte each when they are stored
        start_seconds=loading,
    )


@torch.inference_mode()
def _predict(network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    logits: torch.Tensor = network(images)
    return logits


def seconds_each(
    step: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    """Time steps for half a second, three at least and fifteen at most, and return their median.

    A few before them warm up.
    """
    for _ in range(WARM_UP):
        _timed(step, clock)
    times: list[float] = []
    while len(times) < STEPS.start or (len(times) < STEPS.stop - 1 and sum(times) < SECONDS):
        times.append(_timed(step, clock))
    return median(times)


def _timed(step: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return clock() - start
