"""Measures that need no classes, of networks that give every pixel a class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from orchestrator.store import Store
from tests.workers.probes import PARENT, PRUNED, FakeProbe, normal, values
from tests.workers.test_run import NOMINAL, key, run
from workers.checkpoint import restore
from workers.contracts import (
    Chain,
    Component,
    Level,
    Measure,
    MeasureCell,
    Probe,
    Reading,
    Subject,
    Training,
)
from workers.data.voc import PascalVOC
from workers.evaluation.readings import READINGS, from_parquet
from workers.measures.cka import Cka
from workers.measures.latency import Latency
from workers.measures.svcca import Svcca
from workers.pruning.prunable import prunable_weights

SIZE, CLASSES, WIDTH = 17, 21, 8
LAYERS = ("first", "second", "out", "aux")
MACS = SIZE**2 * (27 * WIDTH + 9 * WIDTH**2 + 2 * WIDTH * CLASSES)
"""Two convolutions of 3 × 3 that keep the size, and two of 1 × 1 for the heads."""


class Small(nn.Module):
    """Two convolutions and two heads, without normalisation."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.second = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.out, self.aux = nn.Conv2d(WIDTH, classes, 1), nn.Conv2d(WIDTH, classes, 1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        features = self.second(self.first(images).relu()).relu()
        return {"out": self.out(features), "aux": self.aux(features)}


def small(*, channels: int, classes: int) -> nn.Module:
    return Small(channels, classes)


@dataclass(frozen=True, kw_only=True)
class Looked(Measure):
    """Reads what it is given."""

    def measure(self, subjects: tuple[Subject, ...], probe: Probe) -> list[Reading]:
        """Tell the shape of the label maps, and sums of labels and pixels."""
        pixels, labels = probe.test_images(1000)
        assert pixels.shape == (len(labels), 3, SIZE, SIZE)
        shape = [
            Reading(subject=0, quantity="length", value=length, at=axis)
            for axis, length in enumerate(labels.shape)
        ]
        seen = (("labels", labels.double()), ("pixels", pixels.double()))
        sums = [Reading(subject=0, quantity=name, value=float(x.sum())) for name, x in seen]
        return [*shape, *sums]


CELLS = {
    name: MeasureCell(key=key(f"map {name}"), label=name, measure=Component(plug_in, options))
    for name, plug_in, options in (
        ("cka", "cka", {}),
        ("latency", "latency", {"batch_sizes": (1, 6), "warm_up": 0, "repeats": 1}),
        ("looked", f"{__name__}:Looked", {}),
    )
}
RECIPE = Training(epochs=1, batch_size=4, lr=0.05)


@pytest.fixture
def measured(voc_root: Path, tmp_path: Path) -> tuple[Store, dict[str, list[Reading]]]:
    """Measure a parent, what is left of it without retraining, and a separate network."""
    data = PascalVOC(size=SIZE)
    dense = Chain(
        name="small/s0/dense",
        network="small",
        model=Component(f"{__name__}:small"),
        data=Component("voc", {"size": SIZE}),
        fingerprint=data.fingerprint(voc_root),
        seed=0,
        training=RECIPE,
        parent=key("map parent"),
    )
    separate = replace(dense, name="small/s1/dense", seed=1, parent=key("map separate"))
    pruned = replace(
        dense,
        name="small/s0/wt",
        method=Component("wt"),
        retraining=replace(RECIPE, lr=0.0),
        levels=(Level(key=key("map pruned"), base=dense.parent, ratio=0.5),),
        measures=tuple(CELLS.values()),
        separate=separate.parent,
    )
    run(tmp_path / "store", dense, separate, pruned, tasks=[NOMINAL], data_root=voc_root)
    store = Store(tmp_path / "store")
    return store, {
        name: from_parquet(store.read(cell.key, READINGS)) for name, cell in CELLS.items()
    }


def test_a_chain_on_label_maps(
    measured: tuple[Store, dict[str, list[Reading]]], voc_root: Path
) -> None:
    store, found = measured
    images = PascalVOC(size=SIZE).load("test", voc_root)
    looked = {reading.quantity: reading.value for reading in found["looked"]}
    assert [r.value for r in found["looked"] if r.quantity == "length"] == [4, SIZE, SIZE]
    assert looked["labels"] == images.labels.sum()
    mean, std = torch.tensor(PascalVOC.mean), torch.tensor(PascalVOC.std)
    pixels = (torch.tensor(images.pixels).double() / 255 - mean) / std
    assert looked["pixels"] == pytest.approx(float(pixels.sum()), abs=0.1)

    keys = store.record(CELLS["latency"].key)["subjects"]
    networks = [
        restore(store.record(one)["network"], store.read(one, "weights.safetensors"))
        for one in keys
    ]
    counts = [(r.quantity, r.value) for r in found["latency"] if r.quantity.endswith("macs")]
    nonzero = [
        SIZE**2 * sum(int(w.count_nonzero()) for w in prunable_weights(one).values())
        for one in networks
    ]
    assert nonzero[0] == nonzero[2] == MACS > nonzero[1] > 0
    assert counts == [pair for n in nonzero for pair in (("macs", MACS), ("nonzero_macs", n))]
    assert [r.at for r in found["latency"] if r.quantity == "seconds"] == [1, 6] * 3

    parts = [(r.subject, r.against, r.part) for r in found["cka"]]
    pairs = [(2, 0), (1, 0), (1, 2)]
    assert parts == [(*pair, layer) for pair in pairs for layer in LAYERS]


@pytest.mark.parametrize("measure", [Cka(images=6), Svcca(images=6, variance=1)])
def test_layers_of_permuted_channels_are_the_same(measure: Cka | Svcca) -> None:
    torch.manual_seed(0)
    parent, other = Small(3, CLASSES), Small(3, CLASSES)
    order = torch.randperm(WIDTH)
    other.load_state_dict(parent.state_dict())
    for permuted, after in ((other.first, [other.second]), (other.second, [other.out, other.aux])):
        permuted.weight.data = permuted.weight.data[order]
        permuted.bias.data = permuted.bias.data[order]
        for layer in after:
            layer.weight.data = layer.weight.data[:, order]
    probe = FakeProbe({"parent": parent, "pruned": other}, normal(6, 3, SIZE, SIZE))
    readings = list(measure.measure([PARENT, PRUNED], probe))
    found = values(readings, readings[0].quantity, 1)
    assert found == pytest.approx(dict.fromkeys(LAYERS, 1), abs=1e-3)
    strange = FakeProbe({"parent": parent, "pruned": Small(3, CLASSES)}, normal(6, 3, SIZE, SIZE))
    readings = list(measure.measure([PARENT, PRUNED], strange))
    assert values(readings, readings[0].quantity, 1)["second"] < 0.95


def test_memory_of_a_mapping_of_logits_is_counted() -> None:
    """At most the features and both heads live at a time, or both layers of features."""
    probe = FakeProbe({"parent": Small(3, CLASSES)}, normal(1, 3, SIZE, SIZE))
    readings = Latency(batch_sizes=(1,), warm_up=0, repeats=1).measure([PARENT], probe)
    (peak,) = (reading.value for reading in readings if reading.quantity == "peak_bytes")
    assert peak == 4 * SIZE**2 * (WIDTH + 2 * CLASSES)
