"""Shapes and costs of small networks, computed by hand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workers.pruning.size import LayerShape, layer_shapes, macs


def test_stride_padding_dilation_and_kernel() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1),  # 10 x 8 to 5 x 4
        nn.Conv2d(4, 6, (3, 2), dilation=(2, 1)),  # to (5 - 4) x (4 - 1)
        nn.Flatten(),
        nn.Linear(18, 7),
    )
    shapes = layer_shapes(network, torch.zeros(2, 3, 10, 8))
    assert shapes == {
        "0.weight": LayerShape((4, 3, 9), 20),
        "1.weight": LayerShape((6, 4, 6), 3),
        "3.weight": LayerShape((7, 18, 1), 1),
    }
    assert [shape.outputs for shape in shapes.values()] == [80, 18, 7]
    assert macs(network, torch.zeros(2, 3, 10, 8)) == 4 * 27 * 20 + 6 * 24 * 3 + 7 * 18


def test_only_nonzero_weights_cost() -> None:
    network = nn.Conv2d(1, 2, 3, bias=True)
    network.weight.data.fill_(1)
    network.weight.data[0, 0, 0] = 0
    assert macs(network, torch.zeros(1, 1, 5, 5)) == (18 - 3) * 9
    assert layer_shapes(network, torch.zeros(1, 1, 5, 5)) == {"weight": LayerShape((2, 1, 9), 9)}


@settings(max_examples=20)
@given(n=st.integers(1, 5), height=st.integers(3, 9), width=st.integers(3, 9))
def test_the_number_of_images_does_not_matter(n: int, height: int, width: int) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network.append(nn.Linear(2, 3))
    expected = 18 * (height - 2) * (width - 2) + 6
    assert macs(network, torch.zeros(n, 1, height, width)) == expected


def test_grouped_convolutions_are_left_out() -> None:
    network = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 2, 1))
    assert list(layer_shapes(network, torch.zeros(1, 4, 5, 5))) == ["1.weight"]


class Twice(nn.Module):
    """One layer called twice, one whose weight it shares, one on tokens, and one never called."""

    def __init__(self) -> None:
        super().__init__()
        self.again = nn.Linear(6, 6)
        self.tied = nn.Linear(6, 6)
        self.tied.weight = self.again.weight
        self.tokens = nn.Linear(2, 5)
        self.unused = nn.Linear(6, 6)
        self.normalised = nn.BatchNorm1d(6)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.normalised(self.tied(self.again(self.again(x))))
        return {"out": self.tokens(x.view(-1, 3, 2))}


def test_calls_add_up_and_uncalled_layers_are_absent() -> None:
    shapes = layer_shapes(Twice(), torch.zeros(4, 6))
    assert shapes == {
        "again.weight": LayerShape((6, 6, 1), 3),
        "tokens.weight": LayerShape((5, 2, 1), 3),
    }


def test_the_network_is_left_as_it_was() -> None:
    network = Twice().train()
    network.tied.eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    layer_shapes(network, torch.randn(4, 6))
    assert network.training
    assert network.normalised.training
    assert not network.tied.training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(p.grad is None for p in network.parameters())


def test_it_is_so_after_a_failure_too() -> None:
    network = Twice().train()
    with pytest.raises(RuntimeError, match="shape"):
        layer_shapes(network, torch.randn(4, 5))
    assert all(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())
