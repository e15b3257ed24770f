"""What one network costs on this machine, from a few timed steps, before anything is measured."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from workers.checkpoint import architecture, build, dump
from workers.contracts import Chain, Cost, Runtime
from workers.registry import DATA_SETS
from workers.training.device import resolve_device
from workers.training.device_data import DeviceData

STEPS = 3
PREDICTION_BYTES = 4.0  # measured: label, prediction and two float32 of an example, compressed


def probe(chain: Chain, runtime: Runtime) -> Cost | None:
    """Time a few steps of the chain's network; None if its data are not here."""
    data_set = DATA_SETS.create(chain.data)
    if not data_set.available(runtime.data_root):
        return None
    torch.set_num_threads(runtime.threads)
    device = resolve_device(runtime.device)
    data = DeviceData(data_set, runtime.data_root, device)
    made_as = architecture(chain.model, channels=data.channels, classes=len(data.classes))
    network = build(made_as).to(device)
    batch, _ = next(data.batches(chain.training, 0, 0))
    examples = len(data_set.load("test", runtime.data_root).labels)
    return Cost(
        epoch_seconds=data.steps_per_epoch(chain.training)
        * _seconds(lambda: network(batch).square().mean().backward()),
        cell_seconds=examples / len(batch) * _seconds(lambda: _predict(network, batch)),
        network_bytes=len(dump(network)),
        cell_bytes=round(PREDICTION_BYTES * examples),
    )


def _predict(network: torch.nn.Module, batch: torch.Tensor) -> None:
    with torch.inference_mode():
        network(batch)


def _seconds(step: Callable[[], None]) -> float:
    """Median wall time of a few steps, after one that warms up."""
    times = []
    for _ in range(STEPS + 1):
        start = time.perf_counter()
        step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sorted(times[1:])[STEPS // 2]
