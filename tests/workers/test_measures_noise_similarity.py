"""Noise similarity: closed forms on tiny networks, the same noise for all, and a whole chain."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import exp, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from orchestrator.store import Store
from tests.workers.test_run import DENSE, NOMINAL, WT, key, predictions, run
from workers.contracts import Component, MeasureCell, Reading, Subject
from workers.evaluation.readings import READINGS, from_parquet
from workers.function_distance.noise import noisy_softmax, prune_potential
from workers.measures.noise_similarity import NoiseSimilarity

CPU = torch.device("cpu")


class Shifted(nn.Module):
    """Two classes with the logits (x − shift, 0) for the one value x of an image."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images.cpu().clone())
        own = images.flatten(1)[:, :1] - self.shift
        return torch.cat([own, torch.zeros_like(own)], 1)


@dataclass
class Bench:
    """A probe with networks by key."""

    networks: dict[str, nn.Module]
    images: Tensor
    labels: Tensor
    device: torch.device = CPU
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(3))

    def network(self, subject: Subject) -> nn.Module:
        return self.networks[subject.key]

    def test_images(self, count: int) -> tuple[Tensor, Tensor]:
        return self.images[:count].to(self.device), self.labels[:count].to(self.device)


def bench(*shifts: float, value: float = 0.15, count: int = 300) -> Bench:
    networks = {str(place): Shifted(shift) for place, shift in enumerate(shifts)}
    labels = torch.zeros(count, dtype=torch.int64)
    return Bench(networks, torch.full((count, 1, 1, 1), value), labels)


def subjects(pruned: int, *, separate: bool = False) -> list[Subject]:
    """Make a parent and networks pruned to equally spaced ratios."""
    ratios = [(place + 1) / (pruned + 1) for place in range(pruned)]
    levels = [Subject(key=str(p), role="pruned", ratio=r) for p, r in enumerate(ratios, 1)]
    last = [Subject(key=str(pruned + 1), role="separate")] if separate else []
    return [Subject(key="0", role="parent"), *levels, *last]


def found(made: list[Reading], quantity: str, subject: int, at: float = 0.0) -> Reading:
    (one,) = [r for r in made if (r.quantity, r.subject) == (quantity, subject) and r.at == at]
    return one


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_clean_images_give_exact_values_and_no_spread_over_draws():
    made = list(NoiseSimilarity(levels=(0.0,)).measure(subjects(1), bench(0.0, 0.3)))
    assert [found(made, "accuracy", place).value for place in (0, 1)] == [1, 0]
    assert found(made, "matching_labels", 1).value == 0
    distance = found(made, "softmax_distance", 1)
    assert distance.value == pytest.approx(sqrt(2) * (sigmoid(0.15) - sigmoid(-0.15)), abs=1e-7)
    assert distance.against == 0
    assert {r.spread for r in made} == {0}


def test_noise_gives_the_shares_of_the_interval():
    """x′ is uniform in [−0.45, 0.75]; between 0 and 0.3 the two networks disagree."""
    measure = NoiseSimilarity(levels=(0.6,), images=300, draws=200)
    made = list(measure.measure(subjects(1), bench(0.0, 0.3)))
    error = sqrt(0.75 * 0.25 / 300)
    matching = found(made, "matching_labels", 1, 0.6)
    assert matching.value == pytest.approx(0.75, abs=4 * error / sqrt(200))
    assert matching.spread == pytest.approx(error, rel=0.3)
    shares = [found(made, "accuracy", place, 0.6).value for place in (0, 1)]
    assert shares == pytest.approx([0.75 / 1.2, 0.45 / 1.2], abs=0.01)
    # The mean over x′ of σ(x′) − σ(x′ − 0.3), which is positive.
    softplus = [np.log1p(np.exp(x)) for x in (0.75, -0.45, 0.45, -0.75)]
    mean = (softplus[0] - softplus[1] - softplus[2] + softplus[3]) / 1.2
    distance = found(made, "softmax_distance", 1, 0.6)
    assert distance.value == pytest.approx(sqrt(2) * mean, rel=1e-3)


def test_an_identical_network_matches_everywhere():
    made = list(NoiseSimilarity(levels=(0.0, 0.5), draws=3).measure(subjects(1), bench(0, 0)))
    for at in (0.0, 0.5):
        assert found(made, "matching_labels", 1, at).value == 1
        assert found(made, "softmax_distance", 1, at).value == 0
        potential = found(made, "prune_potential", 0, at)
        assert (potential.value, potential.spread) == (0.5, 0)


def test_all_networks_see_the_same_noise_whatever_their_number():
    two, four = bench(0.0, 0.3), bench(0.0, 0.3, 0.5, 0.9)
    measure = NoiseSimilarity(levels=(0.2, 0.4), draws=2)
    first, second = (
        list(measure.measure(subjects(1), two)),
        list(measure.measure(subjects(3), four)),
    )
    seen = [torch.cat(n.seen) for probe in (two, four) for n in probe.networks.values()]
    assert all(torch.equal(seen[0], other) for other in seen)
    for quantity in ("accuracy", "matching_labels", "softmax_distance"):
        assert found(first, quantity, 1, 0.4) == found(second, quantity, 1, 0.4)


def test_noise_fills_the_ball_and_is_drawn_anew():
    probe = bench(0.0, value=2.0)
    list(NoiseSimilarity(levels=(0.2, 0.4), draws=2).measure(subjects(0), probe))
    low, again, high, _ = (torch.cat(probe.networks["0"].seen) - 2).split(300)
    assert 0.19 < low.abs().max() <= 0.2 + 1e-6
    assert 0.38 < high.abs().max() <= 0.4 + 1e-6
    for other in (again, high / 2):
        assert abs(torch.corrcoef(torch.stack([low.flatten(), other.flatten()]))[0, 1]) < 0.2


def test_the_same_generator_gives_the_same_readings():
    measure = NoiseSimilarity(levels=(0.3,), draws=4)
    once, twice = (list(measure.measure(subjects(2), bench(0, 0.1, 0.2))) for _ in range(2))
    assert [(r.value, r.spread) for r in once] == [(r.value, r.spread) for r in twice]


def test_outputs_are_of_all_images_in_order():
    """Also of those that are beyond the first batch."""
    images = torch.linspace(-1, 1, 300).view(-1, 1, 1, 1)
    outputs = noisy_softmax(Shifted(0.0), images, level=0.0, draws=1, seed=0)
    assert outputs.shape == (1, 300, 2)
    assert torch.allclose(outputs[0, :, 0], images.flatten().sigmoid())


def test_prune_potential_of_a_table():
    """Of 200 images 0.01 are two, and the largest ratio counts even after one that fails."""
    parent = torch.tensor([180, 180, 180])
    correct = torch.tensor([[180, 177, 177], [177, 178, 177], [178, 177, 170]])
    potential = prune_potential(correct, parent, [0.3, 0.5, 0.8], delta=0.01, images=200)
    assert potential.tolist() == [0.8, 0.5, 0]


@pytest.mark.parametrize("delta", [0.005, 0.035, 0.07])
def test_the_margin_is_a_decimal_number(delta):
    """A network with exactly δ·n more errors qualifies, one with another does not."""
    allowed = round(delta * 1000)
    correct = torch.tensor([[900 - allowed, 900 - allowed - 1]])
    parent = torch.tensor([900, 900])
    assert prune_potential(correct, parent, [0.5], delta=delta, images=1000).tolist() == [0.5, 0]


def test_the_separate_network_is_compared_and_has_no_potential():
    probe = bench(0.0, 0.3, 0.0)
    made = list(NoiseSimilarity(levels=(0.0,)).measure(subjects(1, separate=True), probe))
    assert found(made, "matching_labels", 2).value == 1
    assert found(made, "prune_potential", 0).value == 0


def test_without_pruned_networks_there_is_no_potential():
    made = list(NoiseSimilarity(levels=(0.0,)).measure(subjects(0), bench(0.0)))
    assert [r.quantity for r in made] == ["accuracy"]


def test_passes_are_those_that_are_made():
    probe = bench(0.0, 0.3)
    measure = NoiseSimilarity(images=300, levels=(0.0, 0.1, 0.2), draws=4)
    list(measure.measure(subjects(1), probe))
    assert measure.passes(2) == sum(len(b) for n in probe.networks.values() for b in n.seen)
    assert NoiseSimilarity().passes(1) == 1000 * 1401


def test_levels_of_the_paper():
    assert NoiseSimilarity().levels == tuple(np.linspace(0, 0.7, 15).round(2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, "images is 0, expected at least 1"),
        ({"draws": 0}, "draws is 0, expected at least 1"),
        ({"levels": ()}, "levels"),
        ({"levels": (0.1, -0.1)}, "expected half-widths of at least 0"),
        ({"levels": (float("nan"),)}, "expected half-widths of at least 0"),
        ({"delta": -0.1}, "delta is -0.1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NoiseSimilarity(**options)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_sees_the_same_noise():
    measure = NoiseSimilarity(levels=(0.3,), draws=2)
    cpu, cuda = bench(0.0, 0.3), replace(bench(0.0, 0.3), device=torch.device("cuda"))
    values = [[r.value for r in measure.measure(subjects(1), probe)] for probe in (cpu, cuda)]
    assert values[0] == pytest.approx(values[1], abs=1e-6)
    seen = [torch.cat(probe.networks["1"].seen) for probe in (cpu, cuda)]
    assert torch.equal(*seen)


SEPARATE = replace(DENSE, name="resnet8-digits/s1/dense", seed=1, parent=key("other"))


def test_a_chain_is_measured_into_its_store(tmp_path: Path):
    """Without noise, the accuracy is that of the stored predictions on all test images."""
    options = {"images": 10_000, "draws": 2, "levels": (0.0, 0.5)}
    named = Component("noise_similarity", options)
    cell = MeasureCell(key=key("noise"), label="noise", measure=named)
    chain = replace(WT, levels=WT.levels[:1], measures=(cell,), separate=SEPARATE.parent)
    run(tmp_path, DENSE, SEPARATE, chain, tasks=(NOMINAL,))
    made = from_parquet(Store(tmp_path).read(cell.key, READINGS))
    for place, name in enumerate(("dense", "one", "other")):
        (stored,) = predictions(Store(tmp_path), key(name), [NOMINAL])
        accuracy = (stored.predicted == stored.label).mean()
        assert found(made, "accuracy", place).value == pytest.approx(accuracy, abs=1e-12)
    shifts = [found(made, "softmax_distance", place, 0.5).value for place in (1, 2)]
    assert all(0 < shift < sqrt(2) for shift in shifts)
    potential = found(made, "prune_potential", 0, 0.5).value
    assert min(abs(potential - mean) for mean in (0, 0.2, 0.4)) < 5e-3
