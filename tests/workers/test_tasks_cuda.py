"""Every corruption on a GPU: the same images where nothing is drawn, the same kind where it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from workers.contracts import Component, Corruption
from workers.evaluation.inputs import corrupt_block
from workers.registry import TASKS

NAMES = [name for name in TASKS.names() if issubclass(TASKS.get(name), Corruption)]
DRAWS_NOTHING = {
    "brightness",
    "contrast",
    "defocus_blur",
    "gaussian_blur",
    "jpeg",
    "pixelate",
    "saturate",
    "zoom_blur",
}


def photos(size: int, count: int) -> torch.Tensor:
    y, x = np.mgrid[:size, :size]
    ramps = np.stack([x * 200 // size, y * 220 // size + 20, (x + y) * 90 // size], -1)
    rough = np.random.default_rng(0).integers(-30, 60, (count, size, size, 3))
    levels = np.clip(ramps + rough, 0, 255).astype(np.uint8)
    return torch.from_numpy(levels).permute(0, 3, 1, 2).float() / 255


def levels(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.clamp(0, 1).mul(255).int().cpu()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("size", [32, 224])
@pytest.mark.parametrize("table", ["cifar", "imagenet"])
@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_corrupts_alike(name, table, size):
    task = TASKS.create(Component(name, {"severity": 4, "severities": table}))
    pixels = photos(size, 1024 if size == 32 else 16)
    made = {
        device: levels(task.corrupt(pixels.to(device), torch.Generator(device).manual_seed(seed)))
        for device, seed in (("cpu", 0), ("cuda", 0))
    }
    again = levels(task.corrupt(pixels.to("cuda"), torch.Generator("cuda").manual_seed(0)))
    assert torch.equal(made["cuda"], again)
    if name in DRAWS_NOTHING:
        difference = (made["cpu"] - made["cuda"]).abs()
        assert difference.max() <= 1
        assert (difference > 0).float().mean() <= 0.02
    else:
        clean = levels(pixels)
        cpu, cuda = ((made[d] - clean).abs().float().mean() for d in ("cpu", "cuda"))
        assert cuda.item() == pytest.approx(cpu.item(), rel=0.05 if size == 32 else 0.3)


@pytest.mark.parametrize("name", sorted(DRAWS_NOTHING))
def test_what_draws_nothing_needs_no_seed(name):
    task, images = TASKS.create(Component(name)), np.arange(768, dtype=np.uint8).reshape(4, 8, 8, 3)
    assert np.array_equal(corrupt_block(images, task, "a", 0), corrupt_block(images, task, "b", 0))
