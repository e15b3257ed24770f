"""Informative features: what the heat map must be, and a whole chain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import exp
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from orchestrator.store import Store
from tests.workers.test_function_distance_backselect import (
    Weighted,
    random_images,
    row,
    small_network,
)
from tests.workers.test_run import DENSE, WT, key, network, run
from workers.contracts import Component, MeasureCell, Reading, Subject
from workers.data.digits import Digits
from workers.evaluation.readings import READINGS, from_parquet
from workers.function_distance.backselect import (
    exact_order,
    gradient_order,
    last_masked,
    log_odds,
)
from workers.images.normalisation import normalise, statistics
from workers.measures.informative_features import InformativeFeatures

CPU = torch.device("cpu")


@dataclass
class Bench:
    """A probe with networks by key."""

    networks: dict[str, nn.Module]
    images: Tensor
    labels: Tensor
    device: torch.device = CPU
    generator: torch.Generator = field(default_factory=torch.Generator)

    def network(self, subject: Subject) -> nn.Module:
        return self.networks[subject.key].to(self.device)

    def test_images(self, count: int) -> tuple[Tensor, Tensor]:
        return self.images[:count].to(self.device), self.labels[:count].to(self.device)


def heat_map(measure: InformativeFeatures, probe: Bench) -> Tensor:
    """Measure, and give H[subject, against]."""
    count = len(probe.networks)
    roles = ["parent", *["pruned"] * (count - 1)]
    subjects = [Subject(key=k, role=r) for k, r in zip(probe.networks, roles, strict=True)]
    return table(list(measure.measure(subjects, probe)), count)


def table(made: list[Reading], count: int) -> Tensor:
    assert {(r.subject, r.against) for r in made} == {
        (i, j) for i in range(count) for j in range(count)
    }
    assert len(made) == count**2
    assert {r.quantity for r in made} == {"confidence"}
    confidences = torch.zeros(count, count, dtype=torch.float64)
    for one in made:
        confidences[one.subject, one.against] = one.value
    return confidences


@pytest.mark.parametrize("variant", ["exact", "gradient"])
def test_networks_that_look_elsewhere_tell_each_other_nothing(variant):
    """One goes by the left pixel and one by the right; masked, both are undecided."""
    looking = {"left": Weighted(2.0, 0.0), "right": Weighted(0.0, 3.0)}
    probe = Bench(looking, row(1, 1).repeat(3, 1, 1, 1), torch.zeros(3, dtype=torch.int64))
    confidence = heat_map(InformativeFeatures(kept=0.5, at_once=1, variant=variant), probe)
    expected = torch.tensor([[1 / (1 + exp(-2)), 0.5], [0.5, 1 / (1 + exp(-3))]])
    assert torch.allclose(confidence, expected.double())


def test_confidence_is_in_the_label_and_its_spread_over_images():
    """The label of the second image is the class that the network finds improbable."""
    probe = Bench({"0": Weighted(2.0, 0.0)}, row(1, 1).repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    parent = Subject(key="0", role="parent")
    (one,) = InformativeFeatures(kept=0.5).measure([parent], probe)
    high = 1 / (1 + exp(-2))
    assert one.value == pytest.approx(0.5)
    assert one.spread == pytest.approx(high - 0.5, abs=1e-6)


def bench(*seeds: int, count: int = 6) -> Bench:
    networks = {str(place): small_network(seed) for place, seed in enumerate(seeds)}
    return Bench(networks, random_images(count), torch.arange(count) % 4)


@pytest.mark.parametrize("variant", ["exact", "gradient"])
def test_identical_networks_share_their_rows_and_columns(variant):
    measure = InformativeFeatures(kept=0.2, variant=variant)
    confidence = heat_map(measure, bench(5, 6, 5))
    assert torch.equal(confidence[0], confidence[2])
    assert torch.equal(confidence[:, 0], confidence[:, 2])
    assert confidence[0, 0] == confidence[0, 2] == confidence[2, 0]
    assert confidence[0, 1] != confidence[1, 1]


def test_where_all_is_kept_columns_are_the_mean_confidence():
    probe = bench(5, 6)
    confidence = heat_map(InformativeFeatures(kept=1.0), probe)
    for column, made in enumerate(probe.networks.values()):
        mean = made(probe.images).softmax(1)[range(6), probe.labels].double().mean()
        assert torch.allclose(confidence[:, column], mean.expand(2))


def test_more_images_than_pass_at_once():
    """Each image is ordered on its own, so that batches change nothing."""
    probe = bench(5, 6, count=300)
    whole = heat_map(InformativeFeatures(images=300, at_once=6), probe)
    first = heat_map(InformativeFeatures(images=200, at_once=6), probe)
    probe.images, probe.labels = probe.images[200:], probe.labels[200:]
    rest = heat_map(InformativeFeatures(images=100, at_once=6), probe)
    assert torch.allclose(whole, (2 * first + rest) / 3, atol=1e-6)


def test_networks_are_left_as_they_were():
    probe = bench(5)
    before = {name: p.clone() for name, p in probe.networks["0"].named_parameters()}
    heat_map(InformativeFeatures(images=2), probe)
    for name, parameter in probe.networks["0"].named_parameters():
        assert parameter.grad is None
        assert torch.equal(parameter, before[name])


def test_passes_of_a_cifar_image():
    exact = InformativeFeatures(images=1, variant="exact")
    assert exact.passes(1) == 1 + 524_800 + 1
    assert InformativeFeatures(images=1).passes(2) == 2 * (1 + 3 * 256 + 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, "images is 0, expected at least 1"),
        ({"at_once": 0}, "at_once is 0, expected at least 1"),
        ({"kept": 0.0}, "kept is 0.0, expected a fraction"),
        ({"kept": 1.1}, "kept is 1.1, expected a fraction"),
        ({"kept": float("nan")}, "kept is nan, expected a fraction"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        InformativeFeatures(**options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("variant", ["exact", "gradient"])
def test_cuda_agrees_with_the_cpu(variant):
    measure, cuda = InformativeFeatures(kept=0.2, variant=variant), torch.device("cuda")
    there = heat_map(measure, replace(bench(5, 6), device=cuda))
    assert torch.allclose(heat_map(measure, bench(5, 6)), there, atol=1e-2)


SEPARATE = replace(DENSE, name="resnet8-digits/s1/dense", seed=1, parent=key("other"))
TRAINED = replace(DENSE.training, epochs=4, batch_size=64)
WIDER = Component("resnet8", {"width": 8})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a parent that was trained for long enough, a level and a separate network."""
    folder = tmp_path_factory.mktemp("features")
    named = Component("informative_features", {"images": 12, "at_once": 8, "kept": 0.25})
    cell = MeasureCell(key=key("features"), label="features", measure=named)
    chain = replace(WT, levels=WT.levels[:1], measures=(cell,), separate=SEPARATE.parent)
    chains = (DENSE, SEPARATE, chain)
    run(folder, *(replace(one, training=TRAINED, model=WIDER) for one in chains), tasks=())
    return folder


def test_a_chain_is_measured_into_its_store(folder):
    made = from_parquet(Store(folder).read(key("features"), READINGS))
    confidence = table(made, 3)
    assert ((confidence > 0) & (confidence < 1)).all()
    # The parent and its pruned version go by the same pixels, a network of another seed by others.
    assert confidence[0, 1] > confidence[0, 2] + 0.1
    assert confidence[1, 0] > confidence[2, 0] + 0.1


def test_gradients_find_the_pixels_that_trying_them_finds(folder):
    """On digits, three times as many of the top tenth as by chance."""
    made = network(Store(folder), key("dense")).eval()
    train, test = (Digits().load(split, Path()) for split in ("train", "test"))
    mean, std = (torch.tensor(numbers) for numbers in statistics(train.pixels))
    images = normalise(torch.from_numpy(test.pixels[:10]), mean, std)
    score = log_odds(made, images)
    orders = exact_order(score, images), gradient_order(score, images, 4)
    exact, gradient = (last_masked(order, 0.1) for order in orders)
    overlap = float((exact & gradient).sum() / exact.sum())
    assert 3 * 6 / 64 <= overlap < 1
