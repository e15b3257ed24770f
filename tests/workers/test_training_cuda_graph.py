"""Steps that are replayed do what steps that are taken do; on a GPU, as a CUDA graph."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from workers.contracts import Component, Training
from workers.data.digits import Digits
from workers.registry import MODELS
from workers.training.cuda_graph import WARM_UP, GraphedStep
from workers.training.device_data import DeviceData
from workers.training.masks import Masks
from workers.training.step import Step, loss_scaler, set_rate, sgd
from workers.training.train import train

CPU = torch.device("cpu")
RECIPE = Training(epochs=1, lr=0.1)


class Tape:
    """Records on the CPU as CUDA does: without running, and replays what the buffers then hold."""

    def __init__(self, broken: bool = False) -> None:
        self.broken = broken
        self.told: list[str] = []

    def aside(self, work: Callable[[], Tensor]) -> Tensor:
        self.told.append("aside")
        return work()

    def record(self, work: Callable[[], Tensor]) -> tuple[Callable[[], object], Tensor]:
        self.told.append("record")
        if self.broken:
            raise RuntimeError("operation not permitted when stream is capturing")
        result = torch.zeros(())

        def replay() -> None:
            self.told.append("replay")
            result.copy_(work())

        return replay, result


def linear() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(12, 3))


def taker(network: nn.Module) -> Step:
    masks = Masks(network, {"1.weight": torch.ones(3, 12).tril(5)})
    return Step(network, sgd(network, RECIPE, CPU), loss_scaler(RECIPE, CPU), masks, RECIPE)


def losses(step: Callable[[Tensor, Tensor], Tensor], plain: Step, sizes: list[int]) -> list[float]:
    torch.manual_seed(1)
    found = []
    for index, size in enumerate(sizes):
        set_rate(plain.optimizer, 0.1 / (index + 1))
        images, labels = torch.randn(size, 3, 2, 2), torch.randint(3, (size,))
        found.append(float(step(images, labels)))
    return found


SIZES = [8, 8, 8, 8, 8, 5, 8, 8, 5]


@pytest.mark.filterwarnings("ignore:training goes on")
@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (False, ["aside"] * WARM_UP + ["record"] + ["replay"] * 4),
        (True, ["aside"] * WARM_UP + ["record"]),
    ],
)
def test_replayed_steps_are_the_steps_themselves(broken: bool, told: list[str]) -> None:
    taken, recorded, tape = linear(), linear(), Tape(broken)
    plain, inner = taker(taken), taker(recorded)
    assert losses(plain, plain, SIZES) == losses(GraphedStep(inner, tape), inner, SIZES)
    assert all(map(torch.equal, taken.state_dict().values(), recorded.state_dict().values()))
    assert tape.told == told


def test_what_cannot_be_recorded_is_told_once() -> None:
    step = taker(linear())
    with pytest.warns(UserWarning, match="without a CUDA graph: operation not permitted") as told:
        losses(GraphedStep(step, Tape(broken=True)), step, SIZES)
    assert len(told) == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_cuda_graph_trains_as_single_kernels_do(precision: str) -> None:
    gpu = torch.device("cuda")
    data = DeviceData(Digits(), Path(), gpu)
    recipe = Training(epochs=2, batch_size=100, lr=0.01, crop=1, warmup=1, precision=precision)  # type: ignore[arg-type]
    states, results = [], []
    for graph in (True, False):
        torch.manual_seed(0)
        network = MODELS.create(Component("resnet8", {"width": 4})).build(channels=1, classes=10)
        masks = {"linear.weight": torch.ones(10, 16).tril(8)}
        results.append(
            train(network, data, recipe, seed=1, device=gpu, masks=masks, graph=graph).losses
        )
        states.append({name: t.cpu().float() for name, t in network.state_dict().items()})
    close = {"fp32": 1e-3, "bf16": 2e-2}[precision]
    assert results[0] == pytest.approx(results[1], rel=close)
    torch.testing.assert_close(states[0], states[1], rtol=close, atol=close)
