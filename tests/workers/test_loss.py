"""The loss of images, of pixels and of an auxiliary head."""

import math

import pytest
import torch
import torch.nn.functional as F

from workers.loss import loss


def test_cross_entropy_of_images() -> None:
    logits = torch.tensor([[0.0, 0.0], [math.log(3), 0.0]])
    assert loss(logits, torch.tensor([0, 1])).item() == pytest.approx(math.log(8) / 2)


def test_class_255_of_images_counts() -> None:
    logits = torch.zeros(2, 300)
    assert loss(logits, torch.tensor([255, 0])).item() == pytest.approx(math.log(300))
    assert loss(logits, torch.tensor([255, 255])).isfinite()


def test_pixels_of_label_255_are_left_out() -> None:
    logits = torch.zeros(1, 2, 1, 2)
    logits[0, 0, 0, 0] = math.log(3)
    assert loss(logits, torch.tensor([[[0, 255]]])).item() == pytest.approx(math.log(4 / 3))


def test_auxiliary_head_counts_half_and_learns() -> None:
    labels = torch.randint(0, 5, (2, 3, 3))
    out, aux = (torch.randn(2, 5, 3, 3, requires_grad=True) for _ in range(2))
    total = loss({"out": out, "aux": aux}, labels)
    expected = F.cross_entropy(out, labels) + F.cross_entropy(aux, labels) / 2
    assert total.item() == pytest.approx(expected.item())
    total.backward()
    alone = torch.autograd.grad(F.cross_entropy(aux, labels), aux)[0]
    assert aux.grad is not None
    torch.testing.assert_close(aux.grad, alone / 2)
    assert loss({"out": out}, labels).item() == pytest.approx(F.cross_entropy(out, labels).item())
