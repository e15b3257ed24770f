"""Rankings and the walk along them, against slow, obvious references."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.pruning.allocation.layer import ScoredLayer
from workers.pruning.allocation.rankings import priorities
from workers.pruning.allocation.threshold import walk

LAYERS = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=9), min_size=1, max_size=4)


def tensors(layers):
    return [torch.tensor(layer, dtype=torch.float32) for layer in layers]


def allocate(scores, costs, amount, *, allocation, keep_one=False, remaining=None):
    """Rank the units of plain layers, as filters if one of each stays, and walk."""
    unit = "filter" if keep_one or allocation == "uniform" else "weight"
    layers = [
        ScoredLayer(name="", weight=score[:, None], unit=unit, score=score, cost=cost)
        for score, cost in zip(scores, costs, strict=True)
    ]
    return walk(priorities(layers, allocation), costs, amount, remaining)


def lowest(layers, amount):
    """The ``amount`` lowest scores as (score, layer, unit): a sort in Python, ties by place."""
    units = sorted((score, i, j) for i, layer in enumerate(layers) for j, score in enumerate(layer))
    return {(i, j) for _, i, j in units[:amount]}


def places(removed):
    return {(i, j) for i, layer in enumerate(removed) for j in layer.nonzero()[:, 0].tolist()}


@settings(max_examples=150, deadline=None)
@given(LAYERS, st.floats(0, 1))
def test_global_removes_the_exact_number_with_ties_by_index(layers, fraction):
    total = sum(map(len, layers))
    amount = round(fraction * total)
    costs = [torch.ones(len(layer), dtype=torch.bool) for layer in layers]
    choice = allocate(tensors(layers), costs, amount, allocation="global", keep_one=False)
    assert places(choice) == lowest(layers, amount)


@settings(max_examples=150, deadline=None)
@given(LAYERS, st.data())
def test_uniform_walks_all_layers_at_the_same_fraction(layers, data):
    costs = [
        torch.tensor(data.draw(st.lists(st.integers(0, 5), min_size=len(x), max_size=len(x))))
        for x in layers
    ]
    amount = data.draw(st.integers(0, int(sum(c.sum() for c in costs))))
    choice = allocate(tensors(layers), costs, amount, allocation="uniform", keep_one=True)
    assert places(choice) == _best_uniform(layers, costs, amount)


def _best_uniform(layers, costs, amount):
    """Remove one unit after the other, by its fraction of its layer, and keep the nearest cost."""
    walk = []
    for i, (layer, cost) in enumerate(zip(layers, costs, strict=True)):
        left = [j for j, c in enumerate(cost.tolist()) if c > 0]
        order = sorted(left, key=lambda j, layer=layer: (layer[j], j))
        walk += [((rank + 0.5) / len(left), i, j) for rank, j in enumerate(order[:-1])]
    best, removed, distance = set(), set(), amount
    for _, i, j in sorted(walk):
        removed = removed | {(i, j)}
        gap = abs(sum(int(costs[i][j]) for i, j in removed) - amount)
        if gap < distance:
            best, distance = removed, gap
    return best


@settings(max_examples=200, deadline=None)
@given(LAYERS, st.data(), st.sampled_from(["global", "uniform"]), st.booleans())
def test_costs_of_one_choose_the_same_as_a_sort(layers, data, allocation, keep_one):
    left = [
        torch.tensor(data.draw(st.lists(st.booleans(), min_size=len(x), max_size=len(x))))
        for x in layers
    ]
    amount = data.draw(st.integers(-1, 40))
    how = {"allocation": allocation, "keep_one": keep_one}
    partitioned = allocate(tensors(layers), left, amount, **how)
    ranked = allocate(tensors(layers), [part.long() for part in left], amount, **how)
    assert all(map(torch.equal, partitioned, ranked))


def test_many_equal_scores_are_cut_by_index():
    scores = torch.randint(7, (50_000,), generator=torch.Generator().manual_seed(0)).float()
    (choice,) = allocate([scores], [scores >= 0], 20_001, allocation="global", keep_one=False)
    expected = torch.zeros(50_000, dtype=torch.bool)
    expected[scores.argsort(stable=True)[:20_001]] = True
    assert torch.equal(choice, expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("allocation", ["global", "uniform"])
def test_a_gpu_chooses_the_same(allocation):
    scores = torch.randint(7, (50_000,), generator=torch.Generator().manual_seed(0)).float()
    how = {"allocation": allocation, "keep_one": False}
    (here,) = allocate([scores], [scores > 0], 20_001, **how)
    (there,) = allocate([scores.cuda()], [scores.cuda() > 0], 20_001, **how)
    assert torch.equal(here, there.cpu())


def test_units_that_are_gone_are_no_candidates():
    scores = [torch.tensor([0.0, 0.0, 3.0, 1.0, 2.0])]
    costs = [torch.tensor([0, 0, 10, 10, 10])]
    choice = allocate(scores, costs, 10, allocation="global", keep_one=True)
    assert choice[0].tolist() == [False, False, False, True, False]


def test_nearest_cost_wins_and_the_smaller_if_even():
    scores = [torch.tensor([1.0, 2.0, 3.0, 9.0])]
    costs = [torch.tensor([4, 4, 4, 4])]
    for amount, expected in [(1, 0), (2, 0), (3, 1), (6, 1), (7, 2), (100, 3)]:
        choice = allocate(scores, costs, amount, allocation="global", keep_one=True)
        assert int(choice[0].sum()) == expected, amount


@settings(max_examples=50, deadline=None)
@given(st.permutations(list(range(12))), st.integers(0, 12))
def test_permuting_distinct_scores_permutes_the_choice(order, amount):
    scores, costs = torch.arange(12.0).sqrt(), torch.ones(12, dtype=torch.bool)
    plain = allocate([scores], [costs], amount, allocation="global", keep_one=False)
    moved = allocate([scores[order]], [costs], amount, allocation="global", keep_one=False)
    assert torch.equal(plain[0][order], moved[0])


@settings(max_examples=100, deadline=None)
@given(LAYERS, st.integers(0, 60))
def test_counting_anew_chooses_what_adding_up_costs_does(layers, amount):
    costs = [torch.arange(1, len(layer) + 1) for layer in layers]
    total = sum(int(c.sum()) for c in costs)

    def remaining(gone):
        return total - sum(int(c[g].sum()) for c, g in zip(costs, gone, strict=True))

    how = {"allocation": "uniform"}
    added = allocate(tensors(layers), costs, amount, **how)
    counted = allocate(tensors(layers), costs, amount, **how, remaining=remaining)
    assert all(map(torch.equal, added, counted))


def test_counting_anew_sees_what_follows():
    """With the first unit the whole layer goes."""
    costs = [torch.tensor([1, 1, 1, 1]), torch.tensor([1, 1, 1, 1])]

    def remaining(gone):
        return 8 - (4 if gone[0][0] else int(gone[0].sum())) - int(gone[1].sum())

    scores = [torch.tensor([1.0, 5.0, 6.0, 7.0]), torch.tensor([2.0, 3.0, 4.0, 8.0])]
    gone = allocate(scores, costs, 5, allocation="global", keep_one=True, remaining=remaining)
    assert [g.tolist() for g in gone] == [[True] + 3 * [False], [True] + 3 * [False]]


def test_spared_layers_and_units_that_are_gone_stay():
    score, cost = torch.tensor([1.0, 2.0]), torch.tensor([0, 3])
    layer = {"name": "", "weight": score[:, None], "unit": "filter", "score": score, "cost": cost}
    spared, open_ = ScoredLayer(**layer, spared=True), ScoredLayer(**layer)
    for allocation in ("global", "uniform", "error_level"):
        one, _ = priorities([spared, open_], allocation)
        assert one.tolist() == [torch.inf, torch.inf]
    assert priorities([open_], "global")[0].tolist() == [torch.inf, torch.inf]


def test_per_filter_keeps_as_many_in_every_filter_where_there_are():
    scores = [
        torch.tensor([[4.0, 3.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0]]),
        torch.tensor([[9.0, 8.0]]),
    ]
    costs = [torch.ones_like(s, dtype=torch.bool) for s in scores]
    gone = allocate(scores, costs, 4, allocation="per_filter")
    assert [g.tolist() for g in gone] == [
        [[False, False, True, True], [True, True, False, False]],
        [[False, False]],
    ]
