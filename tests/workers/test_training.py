"""Training: learning, masks, divergence, and a continuation that is the same to the bit."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from workers.contracts import Component, Training
from workers.data.digits import Digits
from workers.images.normalisation import normalise
from workers.registry import MODELS
from workers.training.device import DeviceError, resolve_device
from workers.training.device_data import DeviceData
from workers.training.masks import MaskViolatedError
from workers.training.seeding import derive_seed, generator, seed_everything
from workers.training.train import TrainingDivergedError, TrainingResult, train

CPU = torch.device("cpu")
SHORT = Training(epochs=3, batch_size=64, lr=0.05, crop=1, schedule="cosine")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def digits() -> DeviceData:
    return DeviceData(Digits(), Path(), CPU)


def resnet(width: int = 4) -> nn.Module:
    torch.manual_seed(0)
    return MODELS.create(Component("resnet8", {"width": width})).build(channels=1, classes=10)


def run(
    network: nn.Module, data: DeviceData, recipe: Training = SHORT, **options: Any
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


class InterruptionError(Exception):
    pass


def interrupt_at(epoch: int) -> Callable[[int, int, float], None]:
    def on_epoch(done: int, total: int, loss: float) -> None:
        if done == epoch:
            raise InterruptionError

    return on_epoch


def test_resnet8_learns_the_digits(digits: DeviceData) -> None:
    recipe = Training(epochs=8, batch_size=64, lr=0.1, nesterov=True, warmup=1, schedule="cosine")
    network = resnet(width=8)
    result = run(network, digits, recipe)
    test = Digits().load("test", Path())
    images = normalise(torch.from_numpy(test.pixels), digits.mean, digits.std)
    with torch.no_grad():
        predicted = network(images).argmax(1)
    accuracy = (predicted == torch.from_numpy(test.labels)).float().mean().item()
    assert accuracy > 0.95
    assert len(result.losses) == 8
    assert result.losses[-1] < 0.2 < result.losses[0]
    assert result.seconds > 0
    assert not network.training


def test_training_repeats_exactly_with_its_seed(digits: DeviceData) -> None:
    networks = [resnet() for _ in range(3)]
    losses = [
        run(network, digits, seed=seed).losses
        for network, seed in zip(networks, (1, 1, 2), strict=True)
    ]
    assert losses[0] == losses[1] != losses[2]
    assert same(networks[0], networks[1])
    assert not same(networks[0], networks[2])


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_interrupted_training_continues_to_the_same_bits(
    digits: DeviceData, momentum: float
) -> None:
    recipe = Training(epochs=4, batch_size=64, lr=0.05, momentum=momentum, crop=1, flip=True)
    undisturbed, resumed, scratch = with_dropout(), with_dropout(), Memory()
    whole = run(undisturbed, digits, recipe)
    with pytest.raises(InterruptionError):
        run(
            with_dropout(),
            digits,
            recipe,
            resume=scratch,
            checkpoint_seconds=0,
            on_epoch=interrupt_at(3),
        )
    told: list[int] = []
    rest = run(resumed, digits, recipe, resume=scratch, on_epoch=lambda d, t, x: told.append(d))
    assert told == [3, 4]
    assert rest.losses == whole.losses
    assert same(undisturbed, resumed)


def with_dropout() -> nn.Module:
    return nn.Sequential(resnet(), nn.Dropout(0.3))


def test_masked_training_continues_to_the_same_bits(digits: DeviceData) -> None:
    undisturbed, resumed, scratch = resnet(), resnet(), Memory()
    masks = random_masks(undisturbed)
    whole = run(undisturbed, digits, masks=masks)
    options = {"checkpoint_seconds": 0, "on_epoch": interrupt_at(2)}
    with pytest.raises(InterruptionError):
        run(resnet(), digits, masks=masks, resume=scratch, **options)
    assert run(resumed, digits, masks=masks, resume=scratch).losses == whole.losses
    assert same(undisturbed, resumed)


def test_checkpoints_are_no_more_frequent_than_asked(digits: DeviceData) -> None:
    scratch = Memory()
    run(resnet(), digits, resume=scratch, checkpoint_seconds=3600)
    assert scratch.content is None


def random_masks(network: nn.Module) -> dict[str, torch.Tensor]:
    source = generator("masks")
    return {
        name: (torch.rand(p.shape, generator=source) < 0.3).float()
        for name, p in network.named_parameters()
        if p.ndim > 1
    }


def test_masked_weights_stay_zero_and_others_train(digits: DeviceData) -> None:
    network, start = resnet(), resnet()
    masks = random_masks(network)
    run(network, digits, masks=masks)
    before = dict(start.named_parameters())
    for name, weight in network.named_parameters():
        if name in masks:
            assert not weight[masks[name] == 0].any()
            kept = masks[name] == 1
            assert (weight[kept] != before[name][kept]).float().mean() > 0.99


def test_masked_training_equals_plain_loop_with_masks(digits: DeviceData) -> None:
    """The step against the textbook: contiguous, unfused, one mask after the other."""
    recipe = Training(epochs=1, batch_size=200, lr=0.05, momentum=0.9, weight_decay=1e-2)
    ours, plain = resnet(), resnet()
    masks = random_masks(ours)
    run(ours, digits, recipe, masks=masks)
    parameters = dict(plain.named_parameters())
    sgd = torch.optim.SGD(plain.parameters(), 0.05, 0.9, weight_decay=1e-2, foreach=False)
    for step, (images, labels) in enumerate([(None, None), *digits.batches(recipe, 1, 0)]):
        if step:
            sgd.zero_grad()
            nn.functional.cross_entropy(plain(images.contiguous()), labels).backward()
            sgd.step()
        for name, mask in masks.items():
            parameters[name].data.mul_(mask)
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight, parameters[name], rtol=1e-3, atol=1e-5)


def test_mask_that_is_not_binary_is_refused(digits: DeviceData) -> None:
    network = resnet()
    masks = {"conv.weight": torch.full((4, 1, 3, 3), 0.5)}
    with pytest.raises(MaskViolatedError, match=r"not zero in conv\.weight"):
        run(network, digits, masks=masks)


def test_weights_revived_between_epochs_are_zeroed_again(digits: DeviceData) -> None:
    network = resnet()
    weight = dict(network.named_parameters())["linear.weight"]

    def revive(done: int, total: int, loss: float) -> None:
        if done < total:
            weight.data.fill_(1.0)

    masks = {"linear.weight": torch.zeros_like(weight)}
    run(network, digits, masks=masks, on_epoch=revive)
    assert not weight.any()


def test_divergence_names_epoch_rate_and_remedy(digits: DeviceData) -> None:
    with pytest.raises(TrainingDivergedError, match=r"epoch \d of 3 .*rate of 1e\+30: lower 'lr'"):
        run(resnet(), digits, Training(epochs=3, lr=1e30, momentum=0.0))


def test_bf16_learns_and_keeps_float32_weights(digits: DeviceData) -> None:
    network = resnet()
    result = run(network, digits, Training(epochs=3, batch_size=64, lr=0.05, precision="bf16"))
    assert result.losses[-1] < result.losses[0]
    assert {p.dtype for p in network.parameters()} == {torch.float32}


def test_weights_come_back_in_the_layout_they_are_stored_in(digits: DeviceData) -> None:
    network = resnet()
    run(network, digits, Training(epochs=1))
    assert all(p.is_contiguous() for p in network.parameters())


def test_seeds_repeat_and_differ() -> None:
    assert seed_everything("a") == derive_seed("a") != derive_seed("b")
    first = torch.rand(3)
    seed_everything("a")
    assert torch.equal(first, torch.rand(3))
    assert derive_seed(1, "epoch", 11) != derive_seed(11, "epoch", 1)
    assert 0 <= derive_seed("x") < 2**63


def test_device_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == CPU
    with pytest.raises(DeviceError, match="no device 'cuda' here, expected one of auto, cpu"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == torch.device("cuda")
    assert resolve_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_on_a_gpu(precision: Any) -> None:
    gpu = torch.device("cuda")
    data, network = DeviceData(Digits(), Path(), gpu), resnet()
    masks = random_masks(network)
    recipe = Training(epochs=3, batch_size=64, lr=0.05, crop=1, flip=True, precision=precision)
    result = run(network, data, recipe, device=gpu, masks=masks)
    assert result.losses[-1] < result.losses[0]
    assert not any(
        p[masks[n] == 0].any() for n, p in network.cpu().named_parameters() if n in masks
    )
