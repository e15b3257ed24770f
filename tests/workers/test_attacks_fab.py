"""FAB on networks whose smallest changes are known, and the step that it is made of."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from torch import Tensor

from workers.attacks.auto_pgd import auto_pgd, targeted_logits_ratio
from workers.attacks.balls import random_point, size
from workers.attacks.fab import boundary_attack, to_hyperplane
from workers.attacks.logits import margins, rivals

SHAPE, CLASSES = (2, 6, 5), 6
NORMS = [("linf", 1), ("l2", 2)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


WEIGHTS = torch.randn(60, CLASSES, generator=seeded(2))


def linear(pixels: Tensor) -> Tensor:
    return pixels.flatten(1) @ WEIGHTS


IMAGES = 0.3 + 0.4 * torch.rand(12, *SHAPE, generator=seeded(1))
LABELS = linear(IMAGES).argmax(1)


def distances(dual: int) -> Tensor:
    """To each class: its margin over the dual norm of what the weights differ by, (n, classes)."""
    logits = linear(IMAGES)
    apart = WEIGHTS[:, LABELS].T[:, :, None] - WEIGHTS
    gaps = logits.gather(1, LABELS[:, None]) - logits
    return gaps / torch.linalg.vector_norm(apart, ord=dual, dim=1).clamp_min(1e-9)


@pytest.mark.parametrize(("norm", "dual"), NORMS)
def test_of_a_linear_network_the_smallest_change_is_found(norm, dual: int) -> None:
    targets = rivals(linear(IMAGES), LABELS, CLASSES - 1)
    found = [
        boundary_attack(linear, IMAGES, LABELS, target, norm=norm, steps=20)
        for target in targets.unbind(1)
    ]
    nearest = torch.stack([distance for _, distance in found]).amin(0)
    others = distances(dual).scatter(1, LABELS[:, None], torch.inf)
    torch.testing.assert_close(nearest, others.amin(1), rtol=1e-3, atol=0)
    for points, distance in found:
        assert (linear(points).argmax(1) != LABELS).all()
        torch.testing.assert_close(size(points - IMAGES, norm), distance)
        assert 0 <= points.min() <= points.max() <= 1


@pytest.mark.parametrize(("norm", "dual"), NORMS)
def test_targeted_apgd_attains_it_and_nothing_nearer(norm, dual: int) -> None:
    ways = distances(dual).scatter(1, LABELS[:, None], torch.inf)
    nearest, targets = ways.min(1)
    for share, expected in ((1.02, True), (0.98, False)):
        for image, (radius, target) in enumerate(zip(nearest, targets, strict=True)):
            clean, label = IMAGES[image : image + 1], LABELS[image : image + 1]
            epsilon = share * float(radius)
            _, found = auto_pgd(
                linear,
                clean,
                label,
                start=random_point(clean, norm, epsilon, seeded()),
                loss=lambda z, y, t=target[None]: targeted_logits_ratio(z, y, t),
                norm=norm,
                epsilon=epsilon,
                steps=40,
            )
            assert bool(found) == expected


def test_where_nothing_is_mistaken_the_image_stays_clean() -> None:
    def constant(pixels: Tensor) -> Tensor:
        return 0 * linear(pixels) + torch.eye(CLASSES)[1]

    labels = torch.ones(12, dtype=torch.long)
    points, distance = boundary_attack(constant, IMAGES, labels, 0 * labels, norm="l2", steps=3)
    assert torch.equal(points, IMAGES)
    assert distance.isinf().all()


def test_where_the_network_bends_the_nearest_point_is_still_near() -> None:
    """A ball around the grey image is of class 0; its surface is 0.3 away from the centre."""

    def shell(pixels: Tensor) -> Tensor:
        away = (pixels - 0.5).square().flatten(1).sum(1)
        return torch.stack([0 * away, away - 0.09], 1)

    start = 0.5 + 0.02 * torch.randn(8, *SHAPE, generator=seeded())
    start = 0.5 + (start - 0.5) * 0.1 / (start - 0.5).flatten(1).norm(dim=1)[:, None, None, None]
    labels = torch.zeros(8, dtype=torch.long)
    _, distance = boundary_attack(shell, start, labels, labels + 1, norm="l2", steps=30)
    torch.testing.assert_close(distance, torch.full((8,), 0.2), rtol=5e-3, atol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_coordinate_at_the_cube_leaves_the_rest_to_the_others(norm) -> None:
    points = torch.tensor([0.9, 0.5]).view(1, 1, 1, 2)
    change = to_hyperplane(points, torch.ones(1, 1, 1, 2), torch.tensor([0.4]), norm)
    torch.testing.assert_close(change.flatten(), torch.tensor([0.1, 0.3]))
    down = to_hyperplane(points, torch.ones(1, 1, 1, 2), torch.tensor([-0.2]), norm)
    torch.testing.assert_close(down.flatten(), torch.tensor([-0.1, -0.1]))
    out_of_reach = to_hyperplane(points, torch.ones(1, 1, 1, 2), torch.tensor([9.0]), norm)
    torch.testing.assert_close(out_of_reach.flatten(), torch.tensor([0.1, 0.5]))
    nothing = to_hyperplane(points, torch.zeros(1, 1, 1, 2), torch.tensor([0.4]), norm)
    assert torch.equal(nothing, torch.zeros(1, 1, 1, 2))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), share=st.floats(-0.95, 0.95), norm=st.sampled_from(["linf", "l2"]))
def test_the_step_to_a_plane_is_as_short_as_any_solver_finds(seed: int, share: float, norm) -> None:
    draw = seeded(seed)
    x, w = torch.rand(5, generator=draw), torch.randn(5, generator=draw)
    reach = torch.where((w * share) > 0, 1 - x, x) @ w.abs()
    gap = share * reach
    mine = to_hyperplane(x.view(1, 1, 1, 5), w.view(1, 1, 1, 5), gap[None], norm).flatten()
    assert float(mine @ w) == pytest.approx(float(gap), abs=1e-4)
    assert (x + mine).min() > -1e-6
    assert (x + mine).max() < 1 + 1e-6
    bounds = [(-float(one), 1 - float(one)) for one in x]
    plane = w.double().numpy()
    if norm == "linf":
        both = torch.cat([torch.eye(5), -torch.eye(5)])
        limits = torch.cat([both, -torch.ones(10, 1)], 1)
        radius = linprog(
            [0] * 5 + [1],
            A_ub=limits.numpy(),
            b_ub=[0] * 10,
            A_eq=[[*plane, 0]],
            b_eq=[float(gap)],
            bounds=[*bounds, (0, None)],
        ).fun
    else:
        constraint = {"type": "eq", "fun": lambda d: d @ plane - float(gap)}
        solved = minimize(
            lambda d: d @ d, mine.double().numpy(), bounds=bounds, constraints=[constraint]
        )
        radius = solved.fun**0.5
    assert float(size(mine.view(1, 1, 1, 5), norm)) == pytest.approx(radius, abs=2e-3)


def test_margins_and_rivals_by_hand() -> None:
    logits = torch.tensor([[1.0, 4.0, 2.0, 3.0], [1.0, 4.0, 2.0, 3.0]])
    labels = torch.tensor([1, 2])
    assert margins(logits, labels).tolist() == [1.0, -2.0]
    assert rivals(logits, labels, 2).tolist() == [[3, 2], [1, 3]]
    assert rivals(logits, labels, 9).shape == (2, 3)


def test_the_targeted_ratio_by_hand_and_at_any_scale() -> None:
    logits = torch.tensor([[5.0, 3.0, 1.0, 0.0, -7.0]])
    labels, targets = torch.tensor([0]), torch.tensor([2])
    expected = torch.tensor([-(5.0 - 1.0) / (5.0 - (1.0 + 0.0) / 2)])
    torch.testing.assert_close(targeted_logits_ratio(logits, labels, targets), expected)
    torch.testing.assert_close(targeted_logits_ratio(9 * logits, labels, targets), expected)
