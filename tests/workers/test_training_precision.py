"""Training in float16: the loss is scaled, and overflows do no harm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn

from workers.contracts import Training
from workers.data.digits import Digits
from workers.training.device_data import DeviceData
from workers.training.seeding import be_deterministic
from workers.training.train import TrainingResult, train

CPU = torch.device("cpu")
RECIPE = Training(epochs=4, batch_size=64, lr=0.002, precision="fp16", schedule="constant")


@pytest.fixture(scope="module")
def digits() -> DeviceData:
    return DeviceData(Digits(), Path(), CPU)


class Steep(nn.Module):
    """Logits that are 64 times what they would be: scaled gradients overflow at first."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.linear(images.flatten(1) / 64) * 64
        return logits


class Memory:
    content: bytes | None = None

    def read(self) -> bytes | None:
        return self.content

    def write(self, content: bytes) -> None:
        self.content = content


def run(network: nn.Module, data: DeviceData, **options: Any) -> TrainingResult:
    return train(network, data, RECIPE, **{"seed": 1, "device": CPU} | options)


def test_overflows_lower_the_scale_and_spoil_nothing(digits: DeviceData) -> None:
    network, scratch = Steep(), Memory()
    result = run(network, digits, until=3, resume=scratch)
    assert scratch.content is not None
    assert float(load(scratch.content)["scale"]) < 65536
    assert result.losses[-1] < result.losses[0] / 2
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert all(p.isfinite().all() for p in network.parameters())


def test_the_scale_is_part_of_what_continues(digits: DeviceData) -> None:
    undisturbed, resumed, scratch = Steep(), Steep(), Memory()
    whole = run(undisturbed, digits)
    run(Steep(), digits, until=1, resume=scratch)
    rest = run(resumed, digits, resume=scratch)
    assert rest.losses == whole.losses
    assert torch.equal(undisturbed.linear.weight, resumed.linear.weight)


@pytest.fixture
def _flags() -> Iterator[None]:
    yield
    be_deterministic(CPU)


@pytest.mark.usefixtures("_flags")
def test_float32_is_never_tf32() -> None:
    be_deterministic(torch.device("cuda"))
    assert torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    be_deterministic(CPU)
    assert not torch.backends.cudnn.benchmark
    assert torch.are_deterministic_algorithms_enabled()
