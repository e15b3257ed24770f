"""Segmentation from a sweep file to its report: tiny photographs, a tiny network, two methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from orchestrator.analysis import AnalysisOptions, analyse
from orchestrator.collect import collect, frame
from orchestrator.plan import Plan, make_plan
from orchestrator.spec.loading import load_sweep
from orchestrator.store import Store
from workers.checkpoint import restore
from workers.contracts import Runtime
from workers.data.voc import PascalVOC
from workers.probe import probe
from workers.pruning import samples
from workers.run import run_chain, site

FACTORY = """\
from torch import nn


class Small(nn.Module):
    def __init__(self, channels, classes):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
        )
        self.out, self.aux = nn.Conv2d(8, classes, 1), nn.Conv2d(8, classes, 1)

    def forward(self, images):
        features = self.body(images)
        return {"out": self.out(features), "aux": self.aux(features)}


def small(*, channels: int, classes: int) -> nn.Module:
    return Small(channels, classes)
"""
DATA = PascalVOC(size=17, holdout=0.3)
SWEEP = {
    "name": "segmentation",
    "networks": [
        {
            "model": "tinysegmentation:small",
            "data": {"voc": {"size": 17, "holdout": 0.3}},
            "training": {"epochs": 30, "batch_size": 4, "lr": 0.05, "flip": True},
            "retraining": {"epochs": 2},
        }
    ],
    "seeds": [0],
    "methods": ["wt", "pfp"],
    "ratios": [0.4],
    "tasks": {
        "train": ["nominal"],
        "test": [{"contrast": {"severity": 5}}, {"uniform_input_noise": {"level": 0.5}}],
    },
    "analysis": {"deltas": [0.02], "resamples": 100},
    "store": "store",
    "data_root": ".",
}


@pytest.fixture
def run(voc_root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, Store]:
    (voc_root / "tinysegmentation.py").write_text(FACTORY)
    (voc_root / "sweep.yaml").write_text(yaml.safe_dump(SWEEP))
    monkeypatch.syspath_prepend(voc_root)
    plan = make_plan(load_sweep(voc_root / "sweep.yaml"))
    store = Store(plan.spec.store)
    runtime = Runtime(device="cpu", data_root=voc_root, cache=voc_root / "cache")
    for chain in plan.chains:
        run_chain(chain, plan.tasks, store, runtime, lambda event: None)
    return plan, store


def miou(store: Store, key: str, root: Path) -> float:
    """Mean IoU on the clean test images, from the stored weights and a confusion matrix."""
    test = DATA.load("test", root)
    mean, std = (torch.tensor(x).view(-1, 1, 1) for x in (DATA.mean, DATA.std))
    images = torch.from_numpy(np.array(test.pixels)).permute(0, 3, 1, 2) / 255
    network = restore(store.record(key)["network"], store.read(key, "weights.safetensors"))
    with torch.no_grad():
        predicted = network.eval()((images - mean) / std)["out"].argmax(1).numpy()
    known = test.labels != 255
    matrix = np.zeros((21, 21))
    np.add.at(matrix, (test.labels[known], predicted[known]), 1)
    shown = matrix.sum(1) > 0
    union = matrix.sum(0) + matrix.sum(1) - np.diag(matrix)
    return float((np.diag(matrix)[shown] / union[shown]).mean())


def test_a_sweep(run: tuple[Plan, Store], voc_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, store = run
    dense, *pruned = plan.chains
    # Channels of so small a network are coarse: 0.4 cannot be met exactly.
    ratios = [store.record(chain.levels[0].key)["achieved_ratio"] for chain in pruned]
    assert ratios == pytest.approx([0.4, 0.4], abs=0.1)
    assert store.record(dense.parent)["loss"][-1] < store.record(dense.parent)["loss"][0] / 2

    cells = frame(collect(plan, store))
    assert cells.groupby("method")["task"].count().to_dict() == {"dense": 3, "pfp": 3, "wt": 3}
    assert set(cells["examples"]) == {4}
    nominal = cells[cells["task"] == "nominal"]
    for key, accuracy, shares in zip(
        nominal["network_key"], nominal["accuracy"], nominal["correct"], strict=True
    ):
        assert accuracy == pytest.approx(miou(store, key, voc_root), abs=1e-3)
        assert shares.mean() == pytest.approx(accuracy, abs=1e-9)
    assert (cells["error"] == 1 - cells["accuracy"]).all()
    parent = cells[cells["method"] == "dense"].set_index("task")["accuracy"]
    assert parent["nominal"] > 0.25 > parent["contrast-5"]

    found = analyse(cells, AnalysisOptions(deltas=(0.02,), resamples=100))
    by_method = found.by_parent.set_index(["method", "task", "rule"])["potential"]
    for method in ("wt", "pfp"):
        own = nominal[nominal["method"] == method].iloc[0]
        passed = own["accuracy"] >= parent["nominal"] - 0.02
        assert by_method[method, "nominal", "any"] == (own["achieved_ratio"] if passed else 0)
    assert len(found.excess) == 2
    curves = pd.merge(found.curves, cells, on=["method", "task", "level"])
    np.testing.assert_allclose(curves["accuracy_x"], curves["accuracy_y"], atol=1e-9)
    assert (curves["low"] <= curves["high"]).all()

    cost = probe(dense, Runtime(device="cpu", data_root=voc_root))
    assert cost is not None
    assert 4 * 10 < cost.cell_bytes < 4 * 100

    asked: list[float] = []
    counted = samples.sample_count
    monkeypatch.setattr(
        site, "sample_count", lambda *a, delta, **k: asked.append(delta) or counted(*a, **k)
    )
    store.discard(pruned[0].levels[0].key)
    runtime = Runtime(device="cpu", data_root=voc_root, cache=voc_root / "cache")
    run_chain(pruned[0], plan.tasks, store, runtime, lambda event: None)
    assert asked == [1e-5]
