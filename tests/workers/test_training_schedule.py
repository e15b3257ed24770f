import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workers.contracts import Training
from workers.training.schedule import learning_rate
from workers.training.step import set_rate


def rates(recipe: Training, epochs: list[float], steps: int = 100) -> list[float]:
    return [learning_rate(recipe, round(epoch * steps), steps) for epoch in epochs]


def test_constant() -> None:
    recipe = Training(epochs=3, lr=0.2, schedule="constant")
    assert rates(recipe, [0, 1.5, 3]) == [0.2, 0.2, 0.2]


def test_multi_step_of_the_paper() -> None:
    recipe = Training(epochs=182, lr=0.1, milestones=(91, 136), warmup=5)
    found = rates(recipe, [0, 2.5, 4.99, 5, 90.99, 91, 135.99, 136, 181])
    expected = [0, 0.05, 0.0998, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    assert found == pytest.approx(expected, rel=1e-12)


def test_vgg_halves_every_thirty_epochs() -> None:
    recipe = Training(epochs=300, lr=0.05, gamma=0.5, milestones=tuple(range(30, 300, 30)))
    assert rates(recipe, [29.99, 30, 60, 299]) == [0.05, 0.025, 0.0125, 0.05 * 0.5**9]


def test_step_falls_after_every_period() -> None:
    recipe = Training(epochs=300, lr=0.05, gamma=0.5, schedule="step", period=30, warmup=10)
    found = rates(recipe, [0, 5, 29.99, 30, 60, 299])
    assert found == [0, 0.025, 0.05, 0.025, 0.0125, 0.05 * 0.5**9]


@given(st.integers(1, 50), st.integers(1, 500), st.integers(0, 10**5))
def test_step_is_multi_step_at_all_multiples(period: int, steps: int, step: int) -> None:
    milestones = tuple(float(epoch) for epoch in range(period, 1000, period))
    regular = Training(epochs=1000, schedule="step", period=period, gamma=0.7)
    listed = Training(epochs=1000, milestones=milestones, gamma=0.7)
    step = min(step, 1000 * steps - 1)
    assert learning_rate(regular, step, steps) == learning_rate(listed, step, steps)


def test_periods_may_be_fractions_of_an_epoch() -> None:
    recipe = Training(epochs=1, lr=1.0, schedule="step", period=0.1, gamma=0.5)
    assert rates(recipe, [0.09, 0.1, 0.29, 0.3, 0.7]) == [1, 0.5, 0.25, 0.125, 0.5**7]


def test_milestones_may_be_fractions_of_an_epoch() -> None:
    recipe = Training(epochs=2, lr=1.0, milestones=(0.5,))
    assert rates(recipe, [0.49, 0.5], 100) == [1.0, 0.1]


def test_cosine() -> None:
    recipe = Training(epochs=4, lr=0.4, schedule="cosine")
    expected = [0.4, 0.2 * (1 + math.sqrt(0.5)), 0.2, 0.0]
    assert rates(recipe, [0, 1, 2, 4]) == pytest.approx(expected, abs=1e-15)


def test_polynomial_of_deeplab() -> None:
    recipe = Training(epochs=45, lr=0.02, schedule="polynomial", power=0.9)
    assert rates(recipe, [0, 9, 45]) == pytest.approx([0.02, 0.02 * 0.8**0.9, 0], abs=1e-15)


def test_warm_up_overrides_and_does_not_delay_the_schedule() -> None:
    warm = Training(epochs=10, lr=0.1, schedule="cosine", warmup=2)
    cold = Training(epochs=10, lr=0.1, schedule="cosine")
    assert rates(warm, [0, 1]) == [0.0, 0.05]
    assert rates(warm, [2, 5, 9]) == rates(cold, [2, 5, 9])


recipes = st.builds(
    Training,
    epochs=st.integers(0, 300),
    lr=st.floats(1e-6, 10),
    schedule=st.sampled_from(["constant", "multi_step", "step", "cosine", "polynomial"]),
    period=st.floats(0.01, 300),
    milestones=st.lists(st.floats(0, 300), max_size=4).map(tuple),
    gamma=st.floats(0, 1),
    power=st.floats(0, 5),
    warmup=st.floats(0, 20),
)


@given(recipes, st.integers(0, 10**6), st.integers(1, 1000))
def test_rate_is_never_negative_nor_above_lr(recipe: Training, step: int, steps: int) -> None:
    assert 0 <= learning_rate(recipe, step, steps) <= recipe.lr


@given(recipes, st.integers(1, 1000))
def test_rate_never_rises_after_the_warm_up(recipe: Training, steps: int) -> None:
    start = math.ceil(recipe.warmup * steps)
    found = [learning_rate(recipe, step, steps) for step in range(start, start + 2000, 100)]
    assert found == sorted(found, reverse=True)


def test_a_rate_on_the_device_is_the_rate_itself() -> None:
    """A CUDA graph reads the rate from a tensor that it was recorded with."""
    trained, in_place = ([], torch.tensor(1.0))
    for rate in (1.0, in_place):
        weight = torch.nn.Parameter(torch.ones(3))
        optimizer = torch.optim.SGD([weight], rate, momentum=0.9, fused=True)
        for step in range(4):
            set_rate(optimizer, 0.1 / (step + 1))
            weight.grad = weight.detach().clone()
            optimizer.step()
        trained.append(weight)
    assert torch.equal(*trained)
    assert in_place.item() == pytest.approx(0.025)
