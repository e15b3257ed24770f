"""Latency: what is timed, and exact counts of memory and operations."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from tests.workers.probes import PARENT, PRUNED, FakeProbe, normal
from workers.contracts import Reading
from workers.inspection.timing import forward_bytes, forward_seconds, median_and_deviation
from workers.measures.latency import Latency
from workers.pruning.prunable import prunable_weights


class Counted(nn.Module):
    """Notes the size of every batch that passes in evaluation mode, and takes its time."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.sizes: list[int] = []
        self.linear = nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        assert not self.training
        self.sizes.append(len(images))
        time.sleep(self.seconds)
        out: Tensor = self.linear(images.flatten(1))
        return out


def test_warm_up_is_not_timed_and_modes_are_restored():
    network = Counted(seconds=0.01).train()
    seconds = forward_seconds(network, normal(3, 1, 2, 2), warm_up=2, repeats=4)
    assert network.sizes == [3] * 6
    assert len(seconds) == 4
    assert min(seconds) >= 0.01
    assert network.training


def test_the_median_does_not_mind_an_outlier():
    assert median_and_deviation([1, 2, 3, 4, 100]) == (3, 1)
    assert median_and_deviation([2, 4]) == (3, 1)
    assert median_and_deviation([7]) == (7, 0)


def sequence() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)).eval()


@pytest.mark.parametrize("size", [1, 5])
def test_memory_is_that_of_the_results_that_live_at_a_time(size):
    """The outputs of the first layer and of the ReLU: twice 8 floats; in place: 8 and then 2."""
    images, network = normal(size, 1, 2, 2), sequence()
    assert forward_bytes(network, images) == size * 16 * 4
    network[2] = nn.ReLU(inplace=True)
    assert forward_bytes(network, images) == size * 10 * 4


def test_what_was_freed_does_not_count_and_views_count_once():
    class Views(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            first = (images + 1).flatten(1).T.view(4, -1).unbind()
            del images, first
            return torch.zeros(10)

    assert forward_bytes(Views(), normal(1, 1, 2, 2)) == 10 * 4


def readings(networks: list[nn.Module], **options: object) -> list[Reading]:
    probe = FakeProbe(dict(zip(("parent", "pruned"), networks, strict=False)), normal(3, 1, 2, 2))
    measure = Latency(**options)  # type: ignore[arg-type]
    return list(measure.measure([PARENT, PRUNED][: len(networks)], probe))


def test_every_batch_size_has_a_time_with_a_spread_and_a_peak():
    found = readings([sequence()], batch_sizes=(1, 8), warm_up=1, repeats=3)
    by_size = {(r.quantity, r.at): r for r in found if r.quantity in ("seconds", "peak_bytes")}
    assert by_size.keys() == {(q, s) for q in ("seconds", "peak_bytes") for s in (1, 8)}
    assert all(by_size["seconds", size].value > 0 for size in (1, 8))
    assert all(by_size["seconds", size].spread >= 0 for size in (1, 8))
    # Three images repeat to a batch of eight.
    assert [by_size["peak_bytes", size].value for size in (1, 8)] == [64, 8 * 64]


def test_a_slower_network_takes_longer():
    found = readings([Counted(), Counted(0.05)], batch_sizes=(2,), warm_up=0, repeats=3)
    fast, slow = (r.value for r in found if r.quantity == "seconds")
    assert slow > fast


def test_operations_are_counted_with_and_without_zeros():
    network, pruned = sequence(), sequence()
    prunable_weights(pruned)["1.weight"].data[:4] = 0
    found = readings([network, pruned], batch_sizes=(1,), warm_up=0, repeats=1)
    counts = [(r.quantity, r.value) for r in found if r.quantity.endswith("macs")]
    assert counts == [("macs", 48), ("nonzero_macs", 48), ("macs", 48), ("nonzero_macs", 32)]


def test_operations_of_a_convolution_are_weights_times_positions():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 5, 2, padding=1, bias=False)

        def forward(self, images: Tensor) -> Tensor:
            out: Tensor = self.conv(images).mean((2, 3))
            return out

    (macs, *_) = readings([Net()], batch_sizes=(1,), warm_up=0, repeats=1)
    assert (macs.quantity, macs.value) == ("macs", 5 * 2 * 2 * 3 * 3)


def test_cost_counts_every_pass():
    network = Counted()
    measure = Latency(batch_sizes=(1, 4), warm_up=2, repeats=3)
    list(measure.measure([PARENT], FakeProbe({"parent": network}, normal(2, 1, 2, 2))))
    assert sum(network.sizes) == measure.passes(1)
    assert measure.passes(3) == 3 * measure.passes(1)


def test_it_is_marked_as_never_the_same_twice():
    assert not Latency.repeatable


@pytest.mark.parametrize(
    "options",
    [
        {"batch_sizes": ()},
        {"batch_sizes": (0,)},
        {"batch_sizes": (8, 8)},
        {"repeats": 0},
        {"warm_up": -1},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(ValueError, match="expected"):
        Latency(**options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_s_peak_is_at_least_what_lives():
    network, images = sequence().cuda(), normal(4096, 1, 2, 2)
    assert forward_bytes(network, images.cuda()) >= 4096 * 64
    sizes = [forward_bytes(network, images[:n].cuda()) for n in (1024, 2048, 4096)]
    assert all(small < large for small, large in pairwise(sizes))
