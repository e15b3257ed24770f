"""How much of a GPU a trial fills: the most that training and evaluation take at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from orchestrator.store import Store
from workers.contracts import Chain, Component, Runtime, TaskCell, Training
from workers.probe import memory_share
from workers.probe.gpu import Gpu
from workers.registry import DATA_SETS
from workers.run import release, run_chain

TRAINING, EVALUATION, ATTACK = 300, 100, 250
"""Bytes that an image takes: of what training keeps, of a forward pass, of an attack."""
CONTEXT, TOTAL = 1_000, 1_000_000
FIT, TEST = 970, 719
"""Images of the digits that networks are fitted to, and tested on."""
BLOCK = 256
"""How many are evaluated at once on a CPU."""

taken: list[int] = []
batches: list[tuple[int, torch.dtype]] = []


class Hungry(torch.nn.Module):
    """Says how much it would take on a GPU."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.flat, self.layer = torch.nn.Flatten(), torch.nn.Linear(64 * channels, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layer(self.flat(images))
        if self.training:
            taken.append(TRAINING * len(images))
            batches.append((len(images), logits.dtype))
        else:
            taken.append((ATTACK if images.requires_grad else EVALUATION) * len(images))
        return logits


def hungry(*, channels: int, classes: int) -> torch.nn.Module:
    return Hungry(channels, classes)


class FakeGpu(Gpu):
    """A CPU that counts what the network says."""

    device = torch.device("cpu")

    def watch(self) -> None:
        taken.clear()
        batches.clear()

    def peak(self) -> int:
        return max(taken)

    def beside(self) -> int:
        return CONTEXT

    def total(self) -> int:
        return TOTAL


CHAIN = Chain(
    name="hungry/s0/dense",
    network="hungry",
    model=Component(f"{__name__}:hungry"),
    data=Component("digits"),
    fingerprint="",
    seed=0,
    training=Training(epochs=9, batch_size=64),
    parent="0" * 64,
)


def cell(name: str, **options: Any) -> TaskCell:
    return TaskCell(key=name, label=name, task=Component(name, options))


def share(folder: Path, *tasks: TaskCell, **changes: Any) -> float:
    runtime = Runtime(device="cpu", cache=folder / "cache", data_root=folder / "data")
    return memory_share(replace(CHAIN, **changes), tasks, runtime, FakeGpu())


def of(peak: int) -> float:
    return (1.1 * peak + CONTEXT) / TOTAL


def test_the_largest_batch_decides_and_context_and_headroom_come_on_top(tmp_path: Path) -> None:
    evaluation, attack = EVALUATION * BLOCK, ATTACK * BLOCK
    assert share(tmp_path) == of(evaluation) == pytest.approx(0.02916)
    assert share(tmp_path, training=Training(epochs=9, batch_size=128)) == of(TRAINING * 128)
    assert share(tmp_path, cell("nominal"), cell("pgd")) == of(attack) == pytest.approx(0.0714)
    large = Training(epochs=9, batch_size=512)
    assert share(tmp_path, cell("pgd"), training=large) == of(TRAINING * 512)


def test_what_is_no_larger_than_a_clean_batch_is_neither_made_nor_read(tmp_path: Path) -> None:
    tasks = (
        cell("gaussian_noise"),
        cell("outliers", data="svhn"),
        cell("shifted", data="mnist"),
        cell("training_images", count=100),
    )
    assert share(tmp_path, *tasks) == of(EVALUATION * BLOCK)
    assert list(tmp_path.iterdir()) == []


def test_a_task_that_changes_batches_is_tried_once(tmp_path: Path) -> None:
    share(tmp_path, cell("uniform_input_noise", level=0.1), cell("uniform_input_noise", level=0.2))
    shown = [BLOCK, BLOCK, TEST - 2 * BLOCK]
    # Clean images, then noisy ones: one level stands for both.
    assert taken[len(batches) :] == [EVALUATION * images for images in shown] * 2


def test_a_step_is_trained_as_both_recipes_say_to_the_short_batch_at_the_end(
    tmp_path: Path,
) -> None:
    half = Training(epochs=3, batch_size=300, precision="bf16")
    assert share(tmp_path, retraining=half) == of(TRAINING * 300)
    whole = [(64, torch.float32)] * 5 + [(FIT % 64, torch.float32)]
    assert batches == whole + [(300, torch.bfloat16)] * 3 + [(FIT % 300, torch.bfloat16)]
    share(tmp_path, retraining=replace(CHAIN.training, epochs=3))
    assert batches == whole, "epochs take no memory"


def test_an_untrained_network_is_evaluated_all_the_same(tmp_path: Path) -> None:
    assert share(tmp_path, training=Training(epochs=0)) == of(EVALUATION * BLOCK)
    assert batches == []


@pytest.fixture
def clean() -> Iterator[None]:
    release()
    torch.cuda.reset_peak_memory_stats()
    yield
    release()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("width", [16, 128])
def test_a_trial_on_a_gpu_stays_within_its_share(clean: None, width: int, tmp_path: Path) -> None:
    model = Component("resnet8", {"width": width})
    chain = replace(CHAIN, model=model, training=Training(epochs=2, batch_size=256))
    tasks = (cell("nominal"), cell("uniform_input_noise", level=0.1), cell("pgd"))
    runtime = Runtime(device="cuda", cache=tmp_path / "cache", data_root=tmp_path)
    total = Gpu().total()
    told = memory_share(chain, tasks, runtime) * total
    Gpu().watch()
    fingerprint = DATA_SETS.create(chain.data).fingerprint(tmp_path)
    keyed = tuple(replace(one, key=f"{place:064x}") for place, one in enumerate(tasks))
    chain = replace(chain, fingerprint=fingerprint)
    run_chain(chain, keyed, Store(tmp_path / "store"), runtime, lambda event: None)
    took = Gpu().peak() + Gpu().beside()
    assert took <= told <= 2 * took
