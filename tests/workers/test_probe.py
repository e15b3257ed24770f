"""The probe: what it promises about a network is about what the network then costs."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from workers.checkpoint import architecture, build, dump
from workers.contracts import Chain, Component, Cost, MeasureCell, Runtime, Training
from workers.data.digits import Digits
from workers.probe import misfits, probe, seconds_each
from workers.training.device_data import DeviceData
from workers.training.train import train

CHAIN = Chain(
    name="resnet8-digits/s0/dense",
    network="resnet8-digits",
    model=Component("resnet8", {"width": 8}),
    data=Component("digits"),
    fingerprint="",
    seed=0,
    training=Training(epochs=1, batch_size=64),
    parent="0" * 64,
)


def cost(**changes: Any) -> Cost:
    found = probe(replace(CHAIN, **changes), Runtime(device="cpu"))
    assert found is not None
    return found


def test_costs_are_about_those_of_a_real_epoch():
    data, cpu = DeviceData(Digits(), Path(), torch.device("cpu")), torch.device("cpu")
    network = build(architecture(CHAIN.model, channels=1, classes=10))
    train(network, data, CHAIN.training, seed=0, device=cpu)  # imports what training needs
    probed = cost()
    start = time.perf_counter()
    train(network, data, CHAIN.training, seed=0, device=cpu)
    taken = time.perf_counter() - start
    assert taken / 20 < probed.epoch_seconds < 20 * taken  # a busy machine is no reason to fail
    assert 0 < probed.cell_seconds < probed.epoch_seconds
    assert probed.network_bytes == len(dump(network))
    assert probed.input_bytes == Digits().load("test", Path()).pixels.nbytes
    assert 10 < probed.cell_bytes / len(Digits().load("test", Path()).labels) < 18


def test_a_wider_network_costs_more():
    narrow, wide = cost(), cost(model=Component("resnet8", {"width": 64}))
    assert wide.epoch_seconds > narrow.epoch_seconds
    assert wide.cell_seconds > narrow.cell_seconds
    assert wide.network_bytes > 40 * narrow.network_bytes
    assert wide.cell_bytes == narrow.cell_bytes


@pytest.mark.parametrize(
    ("times", "median"),
    [
        ([9, 9, 1, 3, 2, 7], 2),  # enough of them, and long enough
        ([9, 9, 0.1, 0.3, 0.05, 0.2, 7], 0.15),  # until they took half a second
        ([9, 9, *[0.01] * 7, *[0.02] * 8, 7], 0.02),  # or until there are fifteen
    ],
)
def test_steps_are_timed_after_those_that_warm_up(times: list[float], median: float):
    now, rest = 0.0, iter(times)

    def step() -> None:
        nonlocal now
        now += next(rest)

    assert seconds_each(step, lambda: now) == pytest.approx(median)
    assert list(rest) == [7]


def test_the_probe_trains_as_the_recipe_says(monkeypatch: pytest.MonkeyPatch):
    seen: list[torch.dtype] = []
    forward = torch.nn.Conv2d.forward

    def spy(self: torch.nn.Conv2d, images: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = forward(self, images)
        seen.append(out.dtype)
        return out

    monkeypatch.setattr(torch.nn.Conv2d, "forward", spy)
    cost(training=Training(epochs=1, precision="bf16"))
    assert seen[0] == torch.bfloat16
    assert seen[-1] == torch.float32, "predictions are made in float32"


@pytest.mark.parametrize(
    "data",
    [Component("cifar10"), Component("parquet", {"train": "a.parquet", "test": "b.parquet"})],
)
def test_without_data_there_is_no_cost_and_no_download(
    data: Component, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("downloads")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    assert probe(replace(CHAIN, data=data), Runtime(data_root=tmp_path)) is None
    assert list(tmp_path.iterdir()) == []


def test_published_weights_are_not_downloaded(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("downloads")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    model = Component("torchvision", {"name": "squeezenet1_1", "weights": "DEFAULT"})
    chain = replace(CHAIN, model=model, data=Component("digits"))
    monkeypatch.setattr(Digits, "load", wide_digits)
    assert probe(chain, Runtime(device="cpu")) is not None


MEASURES = tuple(
    MeasureCell(key="", label=name, measure=Component(name)) for name in ("cka", "linear_regions")
)
NO_PERCEPTRON = (
    "the bound on linear regions is for perceptrons: it needs linear layers alone, each with as "
    "many inputs as the one before has outputs, as in lenet300_100; found Conv2d 'conv'"
)


@pytest.mark.parametrize("data", ["digits", "cifar10"])
def test_an_untrained_network_tells_which_measures_do_not_suit_it(data: str, tmp_path: Path):
    runtime = Runtime(data_root=tmp_path)
    convolutional = replace(CHAIN, data=Component(data), measures=MEASURES)
    perceptron = replace(convolutional, model=Component("lenet300_100"))
    assert misfits(convolutional, runtime) == ["", NO_PERCEPTRON]
    assert misfits(perceptron, runtime) == ["", ""]
    assert list(tmp_path.iterdir()) == []


def grey_only(*, channels: int, classes: int) -> torch.nn.Module:
    """A network for the images of the data set, and for no others."""
    assert (channels, classes) == (1, 10)
    return torch.nn.Conv2d(channels, classes, 1)


def test_the_untrained_network_is_made_for_the_data(tmp_path: Path):
    chain = replace(CHAIN, model=Component(f"{__name__}:grey_only"), measures=MEASURES)
    runtime = Runtime(data_root=tmp_path)
    (_, found) = misfits(chain, runtime)
    assert found.endswith("found Conv2d ''")
    # It cannot be built for three channels: nothing is known of it.
    assert misfits(replace(chain, data=Component("cifar10")), runtime) == ["", ""]


_load = Digits.load


def wide_digits(self: Digits, split: Any, root: Path) -> Any:
    """The first digits of a split, enlarged to what networks for photographs take."""
    images = _load(self, split, root)
    return replace(
        images,
        pixels=images.pixels[:20].repeat(4, axis=1).repeat(4, axis=2),
        labels=images.labels[:20],
    )
