"""BackSelect: orders known by hand, by the exact search and by gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from workers.function_distance import backselect
from workers.function_distance.backselect import (
    batch_size,
    exact_order,
    gradient_order,
    label_confidence,
    last_masked,
    log_odds,
)

weights = st.lists(st.integers(-50, 50), min_size=6, max_size=6, unique=True)


class Weighted(nn.Module):
    """Two classes with the logits (Σ w x, 0)."""

    def __init__(self, *weights: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, images: Tensor) -> Tensor:
        own = images.flatten(1) @ self.weights
        return torch.stack([own, torch.zeros_like(own)], 1)


def small_network(seed: int, channels: int = 1) -> nn.Module:
    torch.manual_seed(seed)
    convolution = nn.Conv2d(channels, 8, 3, padding=1)
    return nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)).eval()


def random_images(count: int, channels: int = 1) -> Tensor:
    return torch.randn(count, channels, 6, 6, generator=torch.Generator().manual_seed(8))


def total(inputs: Tensor, of: Tensor) -> Tensor:
    """‖x‖₂, the score of the example of Carter et al."""
    return torch.linalg.vector_norm(inputs.flatten(1), dim=1)


def row(*values: float) -> Tensor:
    return torch.tensor(values).float().view(1, 1, 1, -1)


def test_the_example_of_the_paper():
    """‖x‖₂ ≥ 1 of (0.1, 10, 5): two disjoint sufficient subsets, first 10 and then 5."""
    image, collection = row(0.1, 10, 5), []
    while total(image, torch.zeros(1)).item() >= 1:
        order = exact_order(total, image)[0].tolist()
        subset = next(
            order[-size:]
            for size in range(1, 4)
            if total(image.flatten()[order[-size:]].view(1, -1), torch.zeros(1)).item() >= 1
        )
        collection.append(subset)
        image[..., subset] = 0
    assert collection == [[1], [2]]


@pytest.mark.parametrize("order", [exact_order, lambda s, x: gradient_order(s, x, 1)])
def test_of_equals_the_first_is_masked(order):
    assert order(lambda inputs, of: 0 * inputs.sum((1, 2, 3)), row(3, 1, 2)).tolist() == [[0, 1, 2]]


@given(weights=weights, pixels=weights, at_once=st.integers(1, 7))
def test_on_a_linear_score_both_rank_by_contribution(weights, pixels, at_once):
    """Removing a pixel changes Σ w x by − w x, whatever else is masked."""
    scale, images = torch.tensor(weights).double(), torch.tensor([pixels, pixels[::-1]]).double()
    inputs = images.view(2, 1, 2, 3)

    def score(inputs: Tensor, of: Tensor) -> Tensor:
        return inputs.flatten(1) @ scale

    ascending = (images * scale).argsort(dim=1, stable=True)
    assert torch.equal(exact_order(score, inputs), ascending)
    assert torch.equal(gradient_order(score, inputs, at_once), ascending)


def test_a_network_too_sure_for_float32_still_tells_pixels_apart():
    """Its probability is 1 and all derivatives of that are 0."""
    sure, image = Weighted(300.0, 100.0, 200.0), row(1, 1, 1)
    assert sure(image).softmax(1)[0, 0] == 1
    assert gradient_order(log_odds(sure, image), image, 1).tolist() == [[1, 2, 0]]
    assert exact_order(log_odds(sure, image), image).tolist() == [[1, 2, 0]]


def test_log_odds_are_of_the_class_predicted_without_a_mask():
    images, made = random_images(5), small_network(0).double()
    score = log_odds(made, images.double())
    of = torch.tensor([4, 4, 0])
    inputs = random_images(3).double() * 0.3
    p = made(inputs).softmax(1).gather(1, made(images.double())[of].argmax(1)[:, None])[:, 0]
    assert torch.allclose(score(inputs, of), torch.log(p / (1 - p)))


def test_scores_know_which_image_they_are_of():
    """Two images in one batch, on which opposite classes are predicted."""
    images = torch.cat([row(2, 1, 3), row(-2, -1, -3)])
    made = Weighted(1.0, 1.0, 1.0)
    assert exact_order(log_odds(made, images), images).tolist() == [[1, 0, 2]] * 2
    assert gradient_order(log_odds(made, images), images, 1).tolist() == [[1, 0, 2]] * 2


def test_the_mask_is_shared_by_channels():
    """Only together do the channels rank the first pixel last."""
    image = torch.tensor([[[3.0, 2.0, 2.0]], [[3.0, -2.0, 3.0]]])[None]
    made = Weighted(*[1.0] * 6)
    for order in (
        exact_order(log_odds(made, image), image),
        gradient_order(log_odds(made, image), image, 2),
    ):
        assert order.tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("at_once", [1, 5, 36, 50])
def test_every_pixel_is_masked_once(at_once):
    images, made = random_images(3, 2), small_network(1, 2)
    order = gradient_order(log_odds(made, images), images, at_once)
    assert torch.equal(order.sort(1).values, torch.arange(36).expand(3, -1))


def test_exact_order_equals_trying_one_by_one():
    images, made = random_images(2), small_network(2)
    score, order = log_odds(made, images), exact_order(log_odds(made, images), images)
    for place, image in enumerate(images):
        kept = torch.ones(36)
        for pixel in order[place, :5].tolist():
            of, left = torch.tensor([place]), kept.nonzero()[:, 0].tolist()
            tried = {}
            for candidate in left:
                mask = kept.clone()
                mask[candidate] = 0
                tried[candidate] = score((image * mask.view(6, 6))[None], of).item()
            assert tried[pixel] == pytest.approx(max(tried.values()), abs=1e-6)
            kept[pixel] = 0


def test_what_is_kept_is_masked_last():
    order = torch.tensor([[2, 0, 3, 1], [3, 2, 1, 0]])
    assert last_masked(order, 0.5).tolist() == [
        [False, True, False, True],
        [True, True, False, False],
    ]
    assert last_masked(order, 0.01).sum(1).tolist() == [1, 1]
    assert last_masked(order, 1.0).all()


def test_label_confidence_of_all_pixels_is_the_softmax():
    images, made = random_images(4), small_network(3)
    labels = torch.tensor([0, 1, 2, 3])
    whole = label_confidence(made, images, labels, torch.ones(4, 36, dtype=torch.bool))
    assert torch.allclose(whole, made(images).softmax(1).diagonal())


def test_batches_change_nothing(monkeypatch):
    images, made = random_images(3), small_network(4)
    labels, whole = torch.tensor([0, 1, 2]), exact_order(log_odds(made, images), images)
    confidence = label_confidence(made, images, labels, last_masked(whole, 0.2))
    monkeypatch.setattr(backselect, "BATCH", 2)
    assert torch.equal(exact_order(log_odds(made, images), images), whole)
    parts = label_confidence(made, images, labels, last_masked(whole, 0.2))
    assert torch.allclose(parts, confidence)


@pytest.mark.parametrize(("side", "count"), [(8, 256), (32, 256), (64, 256), (224, 20), (2000, 1)])
def test_fewer_large_images_pass_at_once(side, count):
    assert batch_size(torch.empty(300, 3, side, side, device="meta")) == count
