"""Adversarial attacks on networks whose weakest points are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workers.attacks.auto_pgd import auto_pgd, checkpoints, logits_ratio
from workers.attacks.balls import length, nearest, random_point, steepest
from workers.attacks.gradient_steps import cross_entropy
from workers.contracts import (
    GRADIENT_PASSES,
    Attack,
    Component,
    Images,
    PermanentError,
    Runtime,
    TaskCell,
)
from workers.data.digits import Digits
from workers.evaluation.evaluate import evaluate
from workers.evaluation.predictions import Predictions
from workers.evaluation.seen import Seen
from workers.images.normalisation import statistics
from workers.tasks.apgd import AutoProjectedGradient
from workers.tasks.fgsm import FastGradientSign
from workers.tasks.pgd import ProjectedGradient

SHAPE = (6, 2, 5, 4)
EPSILON = 0.05


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def inner(shape: tuple[int, ...] = SHAPE) -> Tensor:
    """Pixels so far from 0 and 1 that nothing is clipped."""
    return 0.2 + 0.6 * torch.rand(shape, generator=seeded(1))


WEIGHTS = torch.randn(SHAPE[1:], generator=seeded(2))


def margin(pixels: Tensor) -> Tensor:
    return (pixels * WEIGHTS).sum((1, 2, 3))


def binary(pixels: Tensor) -> Tensor:
    """Two logits that differ by the margin."""
    return torch.stack([margin(pixels), torch.zeros(len(pixels))], 1)


def fall(attack: Attack) -> Tensor:
    """By how much an attack lowers the margin of images of the first class."""
    pixels = inner()
    labels = torch.zeros(len(pixels), dtype=torch.long)
    return margin(pixels) - margin(attack.attack(binary, pixels, labels, seeded()))


@pytest.mark.parametrize(
    "attack",
    [
        FastGradientSign(epsilon=EPSILON),
        ProjectedGradient(epsilon=EPSILON),
        ProjectedGradient(epsilon=EPSILON, random_start=False),
        ProjectedGradient(epsilon=EPSILON, steps=2, step=EPSILON, random_start=False),
    ],
)
def test_a_linear_margin_falls_by_epsilon_times_the_l1_norm_of_the_weights(attack: Attack) -> None:
    expected = (EPSILON * WEIGHTS.abs().sum()).expand(len(inner()))
    torch.testing.assert_close(fall(attack), expected, rtol=1e-5, atol=1e-5)


def test_in_l2_it_falls_by_epsilon_times_the_l2_norm_of_the_weights() -> None:
    attack = ProjectedGradient(epsilon=EPSILON, norm="l2", random_start=False)
    expected = (EPSILON * WEIGHTS.norm()).expand(len(inner()))
    torch.testing.assert_close(fall(attack), expected, rtol=1e-5, atol=1e-5)
    started = fall(ProjectedGradient(epsilon=EPSILON, norm="l2", steps=40, step=EPSILON))
    torch.testing.assert_close(started, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@settings(max_examples=25)
@given(epsilon=st.floats(0, 2), seed=st.integers(0, 99))
def test_points_are_in_the_ball_and_in_the_cube(norm, epsilon: float, seed: int) -> None:
    clean = torch.rand(SHAPE, generator=seeded(seed))
    far = clean + torch.randn(SHAPE, generator=seeded(seed + 1))
    for point in (
        nearest(far, clean, norm, epsilon),
        random_point(clean, norm, epsilon, seeded(seed)),
    ):
        change = point - clean
        size = change.abs().amax() if norm == "linf" else length(change).max()
        assert size <= epsilon + 1e-6
        assert 0 <= point.min() <= point.max() <= 1


def test_what_is_in_the_ball_and_in_the_cube_stays() -> None:
    clean = inner()
    inside = clean + 0.01 * steepest(torch.randn(SHAPE, generator=seeded()), "l2")
    torch.testing.assert_close(nearest(inside, clean, "l2", 0.02), inside)
    torch.testing.assert_close(nearest(inside, clean, "linf", 0.02), inside)


def test_random_points_fill_the_ball() -> None:
    """Of a uniform point in d dimensions, (‖x‖ / ε)^d is uniform; in l∞ so is every coordinate."""
    clean = torch.full((4000, 1, 2, 2), 0.5)
    change = random_point(clean, "l2", 0.1, seeded()) - clean
    share = (length(change) / 0.1).flatten() ** 4
    assert share.mean() == pytest.approx(0.5, abs=0.02)
    assert share.quantile(0.25) == pytest.approx(0.25, abs=0.03)
    assert change.mean() == pytest.approx(0, abs=2e-3)
    square = random_point(clean, "linf", 0.1, seeded()) - clean
    assert square.std() == pytest.approx(0.1 / 3**0.5, rel=0.02)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_without_a_gradient_there_is_no_step(norm) -> None:
    assert torch.equal(steepest(torch.zeros(SHAPE), norm), torch.zeros(SHAPE))


def test_the_cost_counts_every_gradient_and_the_prediction() -> None:
    assert FastGradientSign().passes == 1 + GRADIENT_PASSES
    assert ProjectedGradient(steps=20).passes == 1 + 20 * GRADIENT_PASSES


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FastGradientSign(epsilon=-0.1), "epsilon is -0.1, expected a radius"),
        (lambda: FastGradientSign(epsilon=float("nan")), "epsilon is nan"),
        (lambda: ProjectedGradient(epsilon=-1.0), "epsilon is -1.0"),
        (lambda: ProjectedGradient(step=0.0), "step is 0.0, expected a length above 0"),
        (lambda: ProjectedGradient(steps=0), "steps is 0, expected at least 1"),
        (lambda: AutoProjectedGradient(steps=0), "steps is 0, expected at least 1"),
    ],
)
def test_impossible_options_are_refused(make: Callable[[], Attack], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_checkpoints_are_those_of_the_paper() -> None:
    """p = 0, 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99."""
    assert sorted(checkpoints(100)) == [22, 41, 57, 70, 80, 87, 93, 99]


def test_the_logits_ratio_by_hand_and_at_any_scale() -> None:
    logits = torch.tensor([[5.0, 3.0, 1.0, 0.0], [5.0, 3.0, 1.0, 0.0]])
    labels = torch.tensor([0, 2])
    expected = torch.tensor([-(5.0 - 3.0) / (5.0 - 1.0), -(1.0 - 5.0) / (5.0 - 1.0)])
    torch.testing.assert_close(logits_ratio(logits, labels), expected)
    torch.testing.assert_close(logits_ratio(100 * logits, labels), expected)


@pytest.mark.parametrize(("norm", "dual"), [("linf", 1), ("l2", 2)])
def test_auto_pgd_finds_the_lowest_margin_of_a_linear_network(norm, dual: int) -> None:
    pixels = inner()
    found, _ = auto_pgd(
        binary,
        pixels,
        torch.zeros(len(pixels), dtype=torch.long),
        start=random_point(pixels, norm, EPSILON, seeded()),
        loss=cross_entropy,
        norm=norm,
        epsilon=EPSILON,
        steps=30,
    )
    expected = (EPSILON * torch.linalg.vector_norm(WEIGHTS, ord=dual)).expand(len(pixels))
    torch.testing.assert_close(margin(pixels) - margin(found), expected, rtol=1e-3, atol=1e-5)


def test_auto_pgd_needs_three_classes() -> None:
    with pytest.raises(PermanentError, match="apgd needs images of one class each, of at least"):
        AutoProjectedGradient().attack(binary, inner(), torch.zeros(6, dtype=torch.long), seeded())


TEST = Digits().load("test", Path())
MEAN, STD = (torch.tensor(one) for one in statistics(TEST.pixels))


@pytest.fixture(scope="module")
def trained() -> nn.Module:
    """A perceptron that knows the digits: more than 95 % of those it has not seen."""
    train = Digits().load("train", Path())
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(train.pixels[0].size, 64), nn.ReLU(), nn.Dropout(0.1)
    )
    network.append(nn.Linear(64, 10))
    pixels = torch.from_numpy(train.pixels).permute(0, 3, 1, 2).float() / 255
    batch, labels = (pixels - MEAN[:, None, None]) / STD[:, None, None], train.labels
    parameters = list(network.parameters())
    for _ in range(100):
        loss = nn.functional.cross_entropy(network(batch), torch.from_numpy(labels))
        with torch.no_grad():
            for one, gradient in zip(
                parameters, torch.autograd.grad(loss, parameters), strict=True
            ):
                one -= 0.5 * gradient
    return network


def cell(name: str, **options: object) -> TaskCell:
    return TaskCell(key=f"{name} {options}", label=name, task=Component(name, options))


def predicted(network: nn.Module, *cells: TaskCell, test: Images = TEST) -> list[Predictions]:
    return list(
        evaluate(
            network,
            cells,
            test,
            mean=MEAN,
            std=STD,
            fingerprint="f",
            runtime=Runtime(cache=Path("unused")),
            device="cpu",
        )
    )  # type: ignore[arg-type]


def accuracy(made: Predictions) -> float:
    return float((made.predicted == made.label).mean())


def test_iterated_steps_do_more_harm_than_one_and_both_do_some(trained: nn.Module) -> None:
    clean, fgsm, pgd, apgd, l2 = predicted(
        trained,
        cell("nominal"),
        cell("fgsm", epsilon=0.1),
        cell("pgd", epsilon=0.1, steps=20),
        cell("apgd", epsilon=0.1, steps=20),
        cell("pgd", epsilon=0.5, norm="l2"),
    )
    assert accuracy(clean) > 0.93
    assert accuracy(apgd) <= accuracy(pgd) <= accuracy(fgsm) < accuracy(clean) - 0.2
    assert accuracy(l2) < accuracy(clean)
    assert np.array_equal(clean.label, pgd.label)


@pytest.mark.parametrize("name", ["fgsm", "pgd", "apgd"])
def test_an_attack_of_no_size_leaves_the_clean_accuracy(trained: nn.Module, name: str) -> None:
    clean, attacked = predicted(trained, cell("nominal"), cell(name, epsilon=0.0))
    assert np.array_equal(attacked.predicted, clean.predicted)
    assert np.allclose(attacked.p_true, clean.p_true, atol=1e-5)


def test_an_attack_leaves_the_network_as_it_was(trained: nn.Module) -> None:
    before = {name: tensor.clone() for name, tensor in trained.state_dict().items()}
    trained[1].bias.requires_grad_(False)
    trained.train()
    predicted(trained, cell("pgd"))
    assert all(torch.equal(before[name], tensor) for name, tensor in trained.state_dict().items())
    assert [p.requires_grad for p in trained.parameters()] == [True, False, True, True]
    assert all(p.grad is None for p in trained.parameters())
    assert all(module.training for module in trained.modules())
    trained[1].bias.requires_grad_(True)


def test_an_attack_depends_on_its_key_and_on_nothing_else(
    trained: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    pgd, other = cell("pgd", steps=1), cell("pgd", steps=1, random_start=True)
    first, second, another = predicted(trained, pgd, pgd, other)
    assert np.array_equal(first.p_true, second.p_true)
    assert not np.array_equal(first.p_true, another.p_true)
    monkeypatch.setattr("workers.evaluation.evaluate._blocks_per_batch", lambda *_: 4)
    (large,) = predicted(trained, pgd)
    assert np.allclose(first.p_true, large.p_true, atol=1e-6)


def test_large_images_are_attacked_in_parts(
    trained: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    fgsm = cell("fgsm", epsilon=0.1)
    (whole,) = predicted(trained, fgsm)
    scaled = Seen._scaled
    monkeypatch.setattr("workers.evaluation.seen.GRADIENT_PIXELS", 64 * TEST.pixels[0].size)
    monkeypatch.setattr(Seen, "_scaled", lambda s, x: (sizes.append(len(x)), scaled(s, x))[1])
    (parts,) = predicted(trained, fgsm)
    assert sizes[0] == 64
    assert np.allclose(whole.p_true, parts.p_true, atol=1e-6)


def test_label_maps_are_attacked_pixel_by_pixel() -> None:
    """Each pixel is classified by itself, so that every labelled one is pushed to the edge."""
    pixels = np.full((3, 4, 5, 1), 120, np.uint8)
    labels = np.zeros((3, 4, 5), np.uint8)
    labels[:, 0] = 255
    seen: list[Tensor] = []

    class Grey(nn.Module):
        def forward(self, batch: Tensor) -> dict[str, Tensor]:
            seen.append(batch.detach().clone())
            return {"out": torch.cat([batch, -batch], 1)}

    evaluated = evaluate(
        Grey(),
        [cell("fgsm", epsilon=0.1)],
        Images(pixels, labels),
        mean=torch.zeros(1),
        std=torch.ones(1),
        fingerprint="f",
        runtime=Runtime(cache=Path("unused")),
        device="cpu",
    )
    (counts,) = evaluated
    assert counts.labelled.sum() == 3 * 3 * 5
    change = seen[-1] - seen[0]
    assert change[:, :, 0].abs().max() < 1e-6
    assert torch.allclose(change[:, :, 1:], torch.tensor(-0.1), atol=1e-6)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_finds_about_the_same(trained: nn.Module) -> None:
    (cpu,) = predicted(trained, cell("pgd"))
    (cuda,) = evaluate(
        trained,
        [cell("pgd")],
        TEST,
        mean=MEAN,
        std=STD,
        fingerprint="f",
        runtime=Runtime(),
        device="cuda",
    )
    assert accuracy(cuda) == pytest.approx(accuracy(cpu), abs=0.02)
    trained.cpu()
