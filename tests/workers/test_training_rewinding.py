"""Trainings that begin late or stop early: checkpoints of a parent, and weight rewinding."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from workers.contracts import Training
from workers.data.digits import Digits
from workers.training.device_data import DeviceData
from workers.training.train import TrainingResult, train

CPU = torch.device("cpu")
RECIPE = Training(epochs=4, batch_size=128, lr=0.05, crop=1, schedule="cosine", warmup=0.5)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def digits() -> DeviceData:
    return DeviceData(Digits(), Path(), CPU)


def small() -> nn.Module:
    torch.manual_seed(0)
    convolution = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2)
    return nn.Sequential(*convolution, nn.Linear(144, 10))


def run(
    network: nn.Module, data: DeviceData, recipe: Training = RECIPE, **options: Any
) -> TrainingResult:
    return train(network, data, recipe, **{"seed": 1, "device": CPU} | options)


def same(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0])


class Memory:
    """Scratch room in memory."""

    content: bytes | None = None

    def read(self) -> bytes | None:
        return self.content

    def write(self, content: bytes) -> None:
        self.content = content


def test_training_in_three_calls_is_training_in_one(digits: DeviceData) -> None:
    whole, parted, scratch = small(), small(), Memory()
    masks = {"0.weight": torch.ones(4, 1, 3, 3).tril(), "5.bias": torch.arange(10) % 2}
    told: list[tuple[int, int]] = []
    in_one = run(whole, digits, masks=masks)
    for until, losses in ((0, 0), (3, 3), (None, 4)):
        result = run(
            parted,
            digits,
            masks=masks,
            until=until,
            resume=scratch,
            on_epoch=lambda done, total, _: told.append((done, total)),
        )
        assert len(result.losses) == losses
        assert not parted.training
        assert all(p.grad is None for p in parted.parameters())
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert result.losses == in_one.losses
    assert same(whole, parted)


def test_stopping_before_the_first_epoch_keeps_the_untrained_network(digits: DeviceData) -> None:
    network, scratch = small(), Memory()
    assert run(network, digits, until=0, resume=scratch).losses == []
    assert same(network, small())
    trained, other = small(), small()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    run(trained, digits)
    run(other, digits, resume=scratch)
    assert same(trained, other)


def test_what_is_saved_past_the_stop_is_not_used(digits: DeviceData) -> None:
    late, stopped, fresh = Memory(), small(), small()
    run(small(), digits, until=3, resume=late)
    run(stopped, digits, until=1, resume=late)
    run(fresh, digits, until=1)
    assert same(stopped, fresh)
    again = small()
    assert len(run(again, digits, until=1, resume=late).losses) == 1
    assert same(again, fresh)


def test_a_run_that_is_complete_leaves_nothing_behind(digits: DeviceData) -> None:
    scratch = Memory()
    run(small(), digits, replace(RECIPE, epochs=2), until=2, resume=scratch)
    assert scratch.content is None


def test_a_late_start_goes_on_as_if_the_epochs_before_were_done(digits: DeviceData) -> None:
    """Without momentum nothing but the weights is carried from one epoch to the next."""
    recipe = replace(RECIPE, momentum=0.0)
    whole, rewound = small(), small()
    in_one = run(whole, digits, recipe)
    run(rewound, digits, recipe, until=2)
    told: list[tuple[int, int]] = []
    rest = run(
        rewound,
        digits,
        recipe,
        start=2,
        on_epoch=lambda done, total, _: told.append((done, total)),
    )
    assert rest.losses == in_one.losses[2:]
    assert told == [(1, 2), (2, 2)]
    assert same(whole, rewound)


def test_an_interrupted_late_start_continues_to_the_same_bits(digits: DeviceData) -> None:
    undisturbed, resumed, scratch = small(), small(), Memory()
    whole = run(undisturbed, digits, start=1)
    run(small(), digits, start=1, until=3, resume=scratch)
    rest = run(resumed, digits, start=1, resume=scratch)
    assert len(whole.losses) == 3
    assert rest.losses == whole.losses
    assert same(undisturbed, resumed)


def test_masked_biases_stay_zero(digits: DeviceData) -> None:
    network = small()
    run(network, digits, until=1, masks={"5.bias": torch.arange(10) % 2})
    bias = dict(network.named_parameters())["5.bias"]
    assert not bias[::2].any()
    assert bias[1::2].all()
