"""Allocation by error bounds, and random draws, against their definitions."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.pruning.allocation.draws import draw, draws_for, draws_for_every_count
from workers.pruning.allocation.error_level import coefficient, error_level
from workers.pruning.allocation.filter_error import bound, filter_error
from workers.pruning.allocation.layer import ScoredLayer, costs
from workers.pruning.allocation.sampling import sampled_channels, sampled_weights

SCORES = st.lists(st.floats(0.001, 1), min_size=2, max_size=12)


def channels(score: list[float], kernel: int = 9, patches: int = 16) -> ScoredLayer:
    weight = torch.ones(3, len(score), kernel)
    return ScoredLayer(
        name="",
        weight=weight,
        unit="channel",
        score=torch.tensor(score),
        cost=costs(weight, "channel"),
        patches=patches,
    )


def weights(weight: torch.Tensor, score: torch.Tensor) -> ScoredLayer:
    return ScoredLayer(
        name="", weight=weight, unit="weight", score=score, cost=costs(weight, "weight"), patches=4
    )


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("units", "distinct"), [(10, 1), (10, 5), (100, 99), (1000, 400)])
def test_draws_of_equal_probability_have_a_closed_form(units, distinct):
    found = draws_for(torch.tensor([float(distinct)]).double(), torch.ones(1, units).double())
    assert float(found) == pytest.approx(math.log(1 - distinct / units) / math.log(1 - 1 / units))


def test_all_units_or_more_take_infinitely_many_draws():
    score = torch.tensor([[1.0, 2.0, 0.0], [0.0, 0.0, 0.0]]).double()
    assert draws_for(torch.tensor([2.0, 0.5]).double(), score).tolist() == [math.inf, math.inf]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-12, 1)), min_size=1, max_size=40))
def test_the_table_of_draws_agrees_with_solving_for_every_count(score):
    q = torch.tensor(score).double()
    counts = torch.arange(len(q)).double()
    exact = draws_for(counts, q.expand(len(q), -1)).clamp(min=1)
    found = draws_for_every_count(q)
    assert torch.equal(found.isinf(), exact.isinf())
    # Where the last unit is all but surely found, what is left of the sum is below its rounding.
    assert (found / exact)[exact.isfinite()].log().abs().lt(1e-4).all()


def test_draws_are_right_on_average_and_never_find_what_has_no_score():
    score = torch.tensor([[0.5, 0.3, 0.2, 0.0], [0.0, 0.0, 0.0, 0.0]]).double()
    found = torch.stack(
        [draw(torch.tensor([10.0, 10.0]), score, seeded(seed)) for seed in range(2000)]
    )
    assert torch.allclose(found[:, 0, :3].mean(0), torch.ones(3).double(), atol=0.06)
    assert not found[:, 0, 3].any()
    assert not found[:, 1].any()
    # Every draw counts 1 / (10 q).
    assert (found[0, 0, :3] * 10 * score[0, :3]).sum() == pytest.approx(10)


def kept_by_definition(layer: ScoredLayer, level: float) -> int:
    s = layer.score.double()
    q = s / s.sum()
    draws = max(1, math.ceil(3 * (6 + 2 * level) * coefficient(layer) * float(s.sum()) / level**2))
    return min(max(math.ceil(float((1 - (1 - q) ** draws).sum()) - 1e-12), 1), len(s))


@settings(max_examples=60, deadline=None)
@given(SCORES, st.floats(-1, 4))
def test_error_level_keeps_what_the_bound_says_at_every_level(score, exponent):
    layer, level = channels(score), 10**exponent
    priority = error_level(layer)
    ambiguous = (priority / level - 1).abs() < 1e-6
    kept = int((priority > level).sum())
    assert abs(kept - kept_by_definition(layer, level)) <= int(ambiguous.sum())


def test_error_level_takes_the_least_sensitive_first_and_leaves_one():
    priority = error_level(channels([0.5, 0.0, 0.9, 0.1]))
    assert priority[1] == 0
    assert priority[2] == math.inf
    assert priority.argsort().tolist() == [1, 3, 0, 2]


def test_layers_with_more_sensitivity_or_positions_keep_more():
    alike = channels([0.2] * 8)
    assert error_level(channels([0.8] * 8)).sort().values[0] > error_level(alike).sort().values[0]
    assert (
        error_level(channels([0.2] * 8, patches=1000)).sort().values[0]
        > error_level(alike).sort().values[0]
    )


def test_filter_error_minimises_the_sum_of_the_bounds():
    """Against all ways to share nine weights among four groups (two filters, two signs)."""
    weight = torch.tensor([[1.0, 1, 1, -1, -1, -1], [1, 1, 1, -1, -1, -1]])
    score = torch.tensor([[0.9, 0.8, 0.7, 0.1, 0.1, 0.1], [0.5, 0.4, 0.3, 0.3, 0.2, 0.05]])
    layer = weights(weight, score)
    groups = [score[0, :3], score[0, 3:], score[1, :3], score[1, 3:]]
    alphas = [coefficient(layer) * g.double().sum() for g in groups]

    def total(counts):
        return sum(
            float(bound(a, torch.tensor(float(m)))) for a, m in zip(alphas, counts, strict=True)
        )

    for budget in range(4, 13):
        kept = filter_error(layer).flatten().argsort(descending=True, stable=True)[:budget]
        group = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])[kept]
        ours = torch.bincount(group, minlength=4).tolist()
        best = min(total(c) for c in product((1, 2, 3), repeat=4) if sum(c) == budget)
        # The continuous optimum, rounded up: near the best whole numbers, and never off by much.
        assert total(ours) <= best * 1.08, budget


def test_bound_by_hand():
    # u = α / 3m = 2: ½ (√(4 + 12) + 2) = 3
    assert float(bound(torch.tensor(6.0), torch.tensor(1.0))) == pytest.approx(3.0)
    assert float(bound(torch.tensor(6.0), torch.tensor(0.0))) == math.inf


def test_slope_is_the_derivative_of_the_bound():
    weight = torch.ones(1, 5)
    layer = weights(weight, torch.tensor([[0.9, 0.7, 0.5, 0.3, 0.1]]))
    alpha = coefficient(layer) * layer.score.double().sum()
    step = 1e-5
    for rank in (1, 2, 3, 4):
        around = [bound(alpha, torch.tensor(rank + d, dtype=torch.float64)) for d in (-step, step)]
        slope = float(around[0] - around[1]) / (2 * step)
        assert float(filter_error(layer)[0, rank]) == pytest.approx(slope, rel=1e-5)


def test_sampled_weights_are_unbiased_and_as_many_as_asked_for():
    rows = torch.rand(40, 30, generator=seeded(1)) - 0.5
    layer = weights(rows, torch.rand(40, 30, generator=seeded(2)) + 0.05)
    kept = torch.rand(40, 30, generator=seeded(3)) < 0.4
    draws = torch.stack(
        [sampled_weights(layer, kept, seeded(seed), hybrid=False) for seed in range(150)]
    )
    assert float(draws.mean()) == pytest.approx(1.0, abs=0.02)
    # Draws are whole, so a few more are found than asked for.
    assert int(kept.sum()) < float((draws > 0).double().sum((1, 2)).mean()) < 1.06 * kept.sum()


def test_a_filter_that_drawing_would_not_shrink_stays_as_it_is():
    layer = weights(torch.tensor([[1.0, 2.0, -3.0]]), torch.tensor([[0.5, 0.5, 1.0]]))
    kept = torch.tensor([[True, True, True]])
    assert sampled_weights(layer, kept, seeded(0), hybrid=False).tolist() == [[1.0, 1.0, 1.0]]


def test_the_hybrid_keeps_the_best_where_the_others_hardly_matter():
    score = torch.tensor([[0.9, 0.9, 1e-6, 1e-6]])
    layer = weights(torch.ones(1, 4), score)
    kept = torch.tensor([[False, True, True, False]])  # two of them; which ones is not taken over
    assert sampled_weights(layer, kept, seeded(0), hybrid=True).tolist() == [[1.0, 1.0, 0.0, 0.0]]


def test_sampled_channels_are_unbiased_and_top_keeps_the_sure_ones():
    layer = channels([0.9, 0.8, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    kept = torch.tensor([True] * 4 + [False] * 4)
    plain, top = (
        torch.stack([sampled_channels(layer, kept, seeded(seed), top=sure) for seed in range(400)])
        for sure in (False, True)
    )
    assert torch.allclose(plain.mean(0), torch.ones(8).double(), atol=0.3)
    assert float((plain > 0).double().sum(1).mean()) == pytest.approx(4, abs=0.35)
    assert (top[:, :2] == 1).all()
    assert torch.allclose(top.mean(0), torch.ones(8).double(), atol=0.3)


@settings(max_examples=30, deadline=None)
@given(SCORES, st.integers(0, 5))
def test_the_same_generator_draws_the_same(score, seed):
    layer = channels(score)
    kept = torch.arange(len(score)) % 2 == 0
    one, two = (sampled_channels(layer, kept, seeded(seed), top=False) for _ in range(2))
    assert torch.equal(one, two)
