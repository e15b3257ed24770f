"""How many samples are taken."""

import pytest

from workers.contracts import Component
from workers.pruning.bounds import MAP_DELTA
from workers.pruning.samples import sample_count
from workers.pruning.size import LayerShape, layer_shapes
from workers.registry import MODELS


def shapes_of(name: str) -> list[LayerShape]:
    import torch

    network = MODELS.create(Component(name)).build(channels=3, classes=10)
    return list(layer_shapes(network, torch.zeros(1, 3, 32, 32)).values())


@pytest.mark.parametrize(
    ("name", "expected"), [("resnet20", 183), ("vgg16_bn", 188), ("densenet22", 188)]
)
def test_the_bound_is_that_of_the_paper_s_code(name: str, expected: int) -> None:
    count = sample_count(shapes_of(name), held_out=5000, batch_size=128, parity="latest")
    assert count == expected


def test_the_release_of_the_paper_takes_whole_batches() -> None:
    shapes = shapes_of("resnet20")
    paper = {"batch_size": 128, "parity": "paper"}
    assert sample_count(shapes, held_out=5120, **paper) == 256
    assert sample_count(shapes, held_out=200, **paper) == 200
    assert sample_count(shapes, held_out=200, batch_size=128, parity="latest") == 100


def test_a_larger_chance_to_fail_asks_for_fewer() -> None:
    # 3 ln(8 · 16384 · 200714 / 1e-5), of the largest layer and of all layers
    shapes = shapes_of("resnet20")
    assert (max(s.outputs for s in shapes), sum(s.outputs for s in shapes)) == (16384, 200714)
    count = sample_count(shapes, held_out=5000, batch_size=1, parity="latest", delta=MAP_DELTA)
    assert count == 107


def test_a_network_that_calls_no_prunable_layer_gets_one_batch() -> None:
    assert sample_count([], held_out=50, batch_size=64, parity="paper") == 50
