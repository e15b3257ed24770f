"""What every registered model and data set must do."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from workers.contracts import Component, DataSet
from workers.registry import DATA_SETS, MODELS

REQUIRED = {"torchvision": {"name": "resnet18"}}


@pytest.mark.parametrize("name", MODELS.names())
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (3, 32)])
class TestModel:
    def build(self, name: str, channels: int) -> torch.nn.Module:
        torch.manual_seed(3)
        return MODELS.create(Component(name, REQUIRED.get(name, {}))).build(
            channels=channels, classes=5
        )

    def test_gives_finite_logits(self, name: str, channels: int, size: int) -> None:
        logits = self.build(name, channels).eval()(torch.rand(2, channels, size, size))
        assert logits.shape == (2, 5)
        assert logits.isfinite().all()

    def test_every_parameter_learns(self, name: str, channels: int, size: int) -> None:
        network = self.build(name, channels).train()
        images = torch.randn(4, channels, size, size)
        torch.nn.functional.cross_entropy(network(images), torch.arange(4)).backward()
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())

    def test_repeats_with_the_seed(self, name: str, channels: int, size: int) -> None:
        first, second = (self.build(name, channels).state_dict() for _ in range(2))
        assert all(torch.equal(first[key], second[key]) for key in first)

    def test_has_weights_to_prune(self, name: str, channels: int, size: int) -> None:
        layers = self.build(name, channels).modules()
        assert any(isinstance(m, torch.nn.Conv2d | torch.nn.Linear) for m in layers)


def data_set(name: str, root: Path) -> DataSet:
    """Make the data set, with a black image where it reads files."""
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "png")
    if name == "imagefolder":
        for split in ("train", "test"):
            (root / split / "a").mkdir(parents=True)
            (root / split / "a" / "1.png").write_bytes(image.getvalue())
        return DATA_SETS.create(Component(name, {"train": "train", "test": "test", "size": 8}))
    if name == "parquet":
        table = pa.table({"image": [image.getvalue()], "label": [0]})
        pq.write_table(table, root / "a.parquet")
        return DATA_SETS.create(Component(name, {"train": "a.parquet", "test": "a.parquet"}))
    return DATA_SETS.create(Component(name))


@pytest.mark.parametrize("name", DATA_SETS.names())
def test_data_set(name: str, tmp_path: Path) -> None:
    data = data_set(name, tmp_path)
    assert data.fingerprint(tmp_path) == data.fingerprint(tmp_path)
    if not data.available(tmp_path):
        pytest.skip(f"{name} would have to be downloaded")
    classes = data.classes(tmp_path)
    for split in ("train", "test"):
        images = data.load(split, tmp_path)
        assert images.pixels.dtype == np.uint8
        assert images.pixels.ndim == 4
        assert images.labels.dtype == np.int64
        assert set(images.labels.tolist()) <= set(range(len(classes)))
        assert len(images.labels) == len(images.pixels) > 0


@pytest.mark.parametrize("registry", ["MODELS", "DATA_SETS"])
def test_plug_ins_are_imported_without_torch(registry: str) -> None:
    script = (
        f"import sys; from workers.registry import {registry} as registry;"
        "[registry.get(name) for name in registry.names()];"
        "assert not {'torch', 'torchvision', 'sklearn', 'PIL', 'pyarrow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
