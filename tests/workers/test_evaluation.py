"""Evaluation of small networks whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from workers.contracts import Component, Images, Runtime, TaskCell
from workers.evaluation.evaluate import evaluate

MEAN, STD = torch.tensor([0.5, 0.25]), torch.tensor([0.5, 2.0])
NOMINAL = TaskCell(key="k0", label="nominal", task=Component("nominal"))
NOISE = TaskCell(key="k1", label="noise", task=Component("uniform_input_noise", {"level": 0.5}))
BLUR = TaskCell(key="k2", label="blur", task=Component("gaussian_blur", {"severity": 5}))


def images(count: int) -> Images:
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 256, (count, 4, 4, 2)).astype(np.uint8)
    return Images(pixels, draw.integers(0, 3, count).astype(np.int64))


class Recorder(nn.Module):
    """Logits are the means of the channels and 0; it keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[torch.Tensor] = []
        self.modes: list[bool] = []

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.seen.append(batch.detach().cpu().clone())
        self.modes.append(self.training)
        means = batch.mean((2, 3))
        return torch.cat([means, torch.zeros_like(means[:, :1])], 1)


def run(network, tasks, test, tmp_path, device="cpu"):
    return list(
        evaluate(
            network,
            tasks,
            test,
            mean=MEAN,
            std=STD,
            fingerprint="f",
            runtime=Runtime(cache=tmp_path),
            device=device,
        )
    )


def test_predictions_equal_arithmetic_in_numpy(tmp_path):
    test = images(300)
    (made,) = run(Recorder(), [NOMINAL], test, tmp_path)
    normal = (test.pixels / 255 - MEAN.numpy()) / STD.numpy()
    logits = np.concatenate([normal.mean((1, 2)), np.zeros((300, 1))], 1)
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert made.task == "k0"
    assert np.allclose(made.energy, np.log(np.exp(logits).sum(1)), atol=2e-3)
    assert np.array_equal(made.label, test.labels)
    assert np.array_equal(made.predicted, logits.argmax(1))
    assert np.allclose(made.p_true, softmax[np.arange(300), test.labels], atol=1e-6)
    assert np.allclose(made.confidence, softmax.max(1), atol=1e-6)
    assert [a.dtype for a in (made.label, made.predicted, made.p_true, made.confidence)] == [
        np.int16,
        np.int16,
        np.float32,
        np.float32,
    ]


def test_tasks_come_in_order_and_corruptions_are_cached(tmp_path):
    made = run(Recorder(), [BLUR, NOMINAL, NOISE], images(20), tmp_path)
    assert [p.task for p in made] == ["k2", "k0", "k1"]
    assert len(list((tmp_path / "inputs").iterdir())) == 1


def test_every_network_sees_the_same_noise_within_the_ball(tmp_path):
    first, second, clean = Recorder(), Recorder(), Recorder()
    test = images(600)
    run(first, [NOISE], test, tmp_path)
    run(second, [NOMINAL, NOISE], test, tmp_path)
    run(clean, [NOMINAL], test, tmp_path)
    assert torch.equal(torch.cat(first.seen), torch.cat(second.seen[len(first.seen) :]))
    noise = torch.cat(first.seen) - torch.cat(clean.seen)
    assert noise.abs().max() <= 0.5 + 1e-5
    assert noise[:256].std() == pytest.approx(0.5 / 3**0.5, rel=0.03)
    assert not torch.allclose(noise[:256], noise[256:512])


@pytest.mark.parametrize("blocks", [2, 16])
def test_noise_does_not_depend_on_the_batch_size(tmp_path, monkeypatch, blocks):
    small, large = Recorder(), Recorder()
    run(small, [NOISE], images(600), tmp_path)
    monkeypatch.setattr("workers.evaluation.evaluate._blocks_per_batch", lambda *_: blocks)
    run(large, [NOISE], images(600), tmp_path)
    assert max(len(batch) for batch in small.seen) == 256
    assert max(len(batch) for batch in large.seen) == min(600, 256 * blocks)
    assert torch.equal(torch.cat(small.seen), torch.cat(large.seen))


def test_network_is_evaluated_in_evaluation_mode_and_left_as_it_was(tmp_path):
    network = nn.Sequential(Recorder(), nn.Dropout(0.9), nn.BatchNorm1d(3))
    network.train()
    network[2].eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    run(network, [NOMINAL], images(30), tmp_path)
    assert network[0].modes == [False]
    assert [m.training for m in network] == [True, True, False]
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_gradients_are_on_between_tasks(tmp_path):
    tasks = evaluate(
        Recorder(),
        [NOMINAL, BLUR],
        images(5),
        mean=MEAN,
        std=STD,
        fingerprint="f",
        runtime=Runtime(cache=tmp_path),
        device="cpu",
    )
    next(tasks)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_sees_the_same_inputs(tmp_path):
    cpu, cuda = Recorder(), Recorder()
    run(cpu, [NOMINAL, NOISE, BLUR], images(5000), tmp_path)
    run(cuda, [NOMINAL, NOISE, BLUR], images(5000), tmp_path, device="cuda")
    assert max(len(batch) for batch in cuda.seen) == 4096
    assert torch.allclose(torch.cat(cpu.seen), torch.cat(cuda.seen), atol=1e-6)
