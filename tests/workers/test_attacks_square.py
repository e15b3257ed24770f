"""The square attack: what it paints, what it keeps, and what it finds."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from workers.attacks.balls import size
from workers.attacks.logits import margins
from workers.attacks.square import square_attack
from workers.attacks.square_shapes import bumps, side, windows

EPSILON = 0.06
CLEAN = 0.2 + 0.6 * torch.rand(7, 3, 12, 10, generator=torch.Generator().manual_seed(1))
LABELS = torch.zeros(7, dtype=torch.long)
WEIGHTS = torch.randn(3, 12, 10, generator=torch.Generator().manual_seed(2))


def lead(pixels: Tensor) -> Tensor:
    return (pixels * WEIGHTS).sum((1, 2, 3)) / WEIGHTS.abs().sum()


def network(pixels: Tensor, ahead: float = 9.0) -> Tensor:
    """The first class leads by ``ahead`` at the clean images, and falls by ε at most in l∞."""
    first = lead(pixels) - lead(CLEAN)[: len(pixels)] + ahead
    return torch.stack([first, torch.zeros(len(pixels)), torch.full((len(pixels),), -50.0)], 1)


def attacked(norm, queries: int, epsilon: float = EPSILON) -> Tensor:
    points, found = square_attack(
        network,
        CLEAN,
        LABELS,
        left=torch.ones(7, dtype=torch.bool),
        norm=norm,
        epsilon=epsilon,
        queries=queries,
        generator=torch.Generator().manual_seed(5),
    )
    assert not found.any()
    return points


def test_it_starts_with_stripes() -> None:
    change = attacked("linf", 1) - CLEAN
    torch.testing.assert_close(change.abs(), torch.full_like(change, EPSILON))
    assert torch.equal(change.sign(), change[:, :, :1].sign().expand_as(change))
    assert len(change[:, :, 0].sign().unique(dim=0)) == 7, "images share their stripes"


def test_in_linf_every_pixel_stays_at_the_edge_of_the_ball() -> None:
    change = attacked("linf", 200) - CLEAN
    torch.testing.assert_close(change.abs(), torch.full_like(change, EPSILON))


def test_in_l2_the_change_has_norm_epsilon() -> None:
    start, later = (attacked("l2", queries) - CLEAN for queries in (1, 200))
    torch.testing.assert_close(size(start, "l2"), torch.full((7,), EPSILON))
    torch.testing.assert_close(size(later, "l2"), torch.full((7,), EPSILON), rtol=1e-4, atol=0)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_points_are_in_the_ball_and_in_the_cube(norm) -> None:
    points = attacked(norm, 100, epsilon=0.7)
    assert 0 <= points.min() <= points.max() <= 1
    assert size(points - CLEAN, norm).max() <= 0.7 + 1e-6


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_more_queries_never_raise_the_margin_and_in_the_end_lower_it(norm) -> None:
    falls = [9 - margins(network(attacked(norm, queries)), LABELS) for queries in (1, 20, 200, 600)]
    for fewer, more in pairwise(falls):
        assert (more >= fewer).all()
    dual = {"linf": WEIGHTS.abs().sum(), "l2": WEIGHTS.norm()}[norm]
    possible = EPSILON * dual / WEIGHTS.abs().sum()
    assert (falls[-1] <= possible * (1 + 1e-3)).all()
    assert falls[-1].mean() > 0.35 * possible
    assert falls[0].mean() < 0.2 * possible


def found(clean: Tensor, left: Tensor) -> tuple[Tensor, Tensor, list[int]]:
    sizes: list[int] = []

    def close(pixels: Tensor) -> Tensor:
        sizes.append(len(pixels))
        logits = pixels.flatten(1) @ WEIGHTS.flatten()
        return torch.stack([logits - 3, torch.zeros(len(pixels))], 1)

    points, wrong = square_attack(
        close,
        clean,
        LABELS,
        left=left,
        norm="linf",
        epsilon=EPSILON,
        queries=60,
        generator=torch.Generator().manual_seed(5),
    )
    assert torch.equal(wrong, close(points).argmax(1) != 0)
    sizes.pop()
    return points, wrong, sizes


def test_an_image_is_left_alone_once_the_network_errs_and_depends_on_no_other() -> None:
    everyone = torch.ones(7, dtype=torch.bool)
    shift = (lead(CLEAN) * WEIGHTS.abs().sum() - 4)[:, None, None, None]
    clean = CLEAN - shift * WEIGHTS / WEIGHTS.square().sum()
    points, wrong, sizes = found(clean, everyone)
    assert wrong.all()
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0] == 7
    two = torch.zeros(7, dtype=torch.bool)
    two[[1, 4]] = True
    alone, _, _ = found(clean, two)
    torch.testing.assert_close(alone, points[two])


def test_sides_follow_the_published_schedule() -> None:
    """The share of 0.8 is halved after 10, 50, 200, … queries; of 1,024 pixels."""
    sides = {0: 29, 10: 29, 11: 20, 51: 14, 201: 10, 501: 7, 1001: 5, 2001: 4, 4001: 3, 9000: 1}
    assert {query: side(query, 32, 32) for query in sides} == sides
    assert side(0, 4, 40) == 4


def test_bumps_by_hand() -> None:
    """Σ 1 / k² is 5/4 at the centre and 1/4 next to it; each hill has the norm √½."""
    upper, lower = torch.tensor([[1.0, 5, 1]]), torch.tensor([[1.0, 1, 1], [1, 5, 1]])
    expected = torch.cat([upper / upper.norm(), -lower / lower.norm()]) / 2**0.5
    torch.testing.assert_close(bumps(3), torch.stack([expected, expected.T]))
    assert bumps(1).abs().tolist() == [[[1.0]], [[1.0]]]


def test_windows_are_squares_all_over_the_image() -> None:
    drawn = windows(torch.Size((400, 3, 4, 5)), 2, torch.Generator().manual_seed(0))[:, 0]
    corner = drawn[:, :1]
    assert torch.equal(drawn - corner, torch.tensor([[0, 1, 5, 6]]).expand(400, 4))
    assert corner.unique().tolist() == [row * 5 + column for row in range(3) for column in range(4)]
