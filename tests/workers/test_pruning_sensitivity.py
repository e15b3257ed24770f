"""Sensitivities against the definition, filter by filter in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from workers.pruning import passes
from workers.pruning.sensitivity import channel_sensitivity, layers, weight_sensitivity

OVER: list[Any] = ["mean", "max"]
LAYERS: dict[str, Callable[[], Any]] = {
    "3x3": lambda: nn.Conv2d(4, 6, 3),
    "1x1": lambda: nn.Conv2d(4, 6, 1, bias=False),
    "padded, strided": lambda: nn.Conv2d(4, 6, 3, stride=2, padding=1),
    "oblong": lambda: nn.Conv2d(4, 6, (1, 4), stride=(2, 1), padding=(0, 3), dilation=(1, 2)),
    "same": lambda: nn.Conv2d(4, 6, (2, 3), padding="same", dilation=(3, 1)),
    "valid": lambda: nn.Conv2d(4, 6, 3, padding="valid"),
    "reflect": lambda: nn.Conv2d(4, 6, 3, padding=2, padding_mode="reflect"),
    "circular": lambda: nn.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="circular"),
    "replicate, same": lambda: nn.Conv2d(4, 6, 4, padding="same", padding_mode="replicate"),
    "groups": lambda: nn.Conv2d(4, 6, 3, padding=1, groups=2),
    "depthwise": lambda: nn.Conv2d(4, 8, 3, stride=2, groups=4),
}


def images(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def seeded(layer: Callable[[], Any], seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return layer()


def patches_of(layer: nn.Conv2d | nn.Linear, image: Tensor) -> Tensor:
    """(groups, channels, kernel positions, positions) of one image, by the layer's own padding."""
    if isinstance(layer, nn.Linear):
        return image.reshape(1, -1, layer.in_features).mT.unsqueeze(2)
    padding, (height, width) = layer.padding, layer.kernel_size
    if padding == "same":
        down, right = layer.dilation[0] * (height - 1), layer.dilation[1] * (width - 1)
        sides = [right // 2, right - right // 2, down // 2, down - down // 2]
    else:
        sides = [0] * 4 if padding == "valid" else [padding[1]] * 2 + [padding[0]] * 2
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = F.pad(image[None], sides, mode)
    columns = F.unfold(padded, layer.kernel_size, layer.dilation, stride=layer.stride)
    return columns.view(layer.groups, layer.in_channels // layer.groups, height * width, -1)


def shares(layer: nn.Conv2d | nn.Linear, image: Tensor) -> Tensor:
    """g of the definition, (points, filters, channels, kernel positions, positions)."""
    patches = patches_of(layer, image.double())
    weight = layer.weight.detach().double()
    weight = weight.view(*weight.shape[:2], -1)
    found = []
    for point in [patches.relu(), (-patches).relu()] if (image < 0).any() else [patches]:
        for filter_, row in enumerate(weight):
            inputs = point[filter_ * len(point) // len(weight)]
            signs = []
            for part in (row.clamp(min=0), row.clamp(max=0)):
                terms = part[:, :, None] * inputs
                total = terms.sum((0, 1))
                vanishes = total.abs() <= torch.finfo(torch.float32).eps
                signs.append(torch.where(vanishes, 0, terms / total))
            found.append(torch.maximum(*signs))
    return torch.stack(found).view(-1, len(weight), *found[0].shape)


def expected(layer: Any, batch: Tensor, over: str) -> Tensor:
    """(filters, channels, kernel positions), one image after the other."""
    each = [shares(layer, image) for image in batch]
    joined = [g.mean(4) if over == "mean" else g.amax(4) for g in each]
    return torch.cat(joined).amax(0)


def expected_channels(layer: nn.Conv2d | nn.Linear, batch: Tensor) -> Tensor:
    largest = expected(layer, batch, "max").amax(2)
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    return largest.view(groups, -1, largest.shape[1]).amax(1).flatten()


@pytest.fixture
def grouped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grouped convolutions are not prunable yet, but their sensitivities are defined."""
    monkeypatch.setattr(passes, "prunable_weights", lambda made: dict(made.named_parameters()))


def assert_sensitivities(layer: Any, batch: Tensor) -> None:
    for over in OVER:
        found = weight_sensitivity(layer, [batch], over_positions=over)["weight"]
        assert found.shape == layer.weight.shape
        wanted = expected(layer, batch, over).view(layer.weight.shape)
        torch.testing.assert_close(found.double(), wanted, rtol=0, atol=1e-5)
    found = channel_sensitivity(layer, [batch])["weight"]
    torch.testing.assert_close(found.double(), expected_channels(layer, batch), rtol=0, atol=1e-5)


@pytest.mark.usefixtures("grouped_too")
@pytest.mark.parametrize("made", LAYERS.values(), ids=LAYERS.keys())
@pytest.mark.parametrize("sign", ["positive", "mixed"])
def test_convolutions_match_the_definition(made: Callable[[], Any], sign: str) -> None:
    batch = images(5, 4, 9, 8)
    if sign == "positive":
        batch[:4].relu_()  # The last image has two points, the others one.
    assert_sensitivities(seeded(made), batch)


@pytest.mark.parametrize("shape", [(5, 7), (5, 3, 7), (5, 2, 3, 7)])
def test_linear_layers_match_the_definition(shape: tuple[int, ...]) -> None:
    assert_sensitivities(seeded(lambda: nn.Linear(7, 4)), images(*shape))


@pytest.mark.usefixtures("grouped_too")
@pytest.mark.parametrize("made", ["oblong", "groups"])
def test_blocks_do_not_matter(made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "BLOCK", 1)
    monkeypatch.setattr(layers, "WIDEST", 60)
    assert_sensitivities(seeded(LAYERS[made]), images(3, 4, 9, 8))


def hand_made(*weights: float) -> nn.Linear:
    layer = nn.Linear(len(weights), 1)
    layer.weight.data = torch.tensor([weights], dtype=torch.float32)
    return layer


@pytest.mark.parametrize("over", OVER)
def test_shares_are_among_weights_of_one_sign(over: Any) -> None:
    layer = hand_made(1, -1, 2)
    found = weight_sensitivity(layer, [torch.ones(1, 3)], over_positions=over)["weight"]
    torch.testing.assert_close(found, torch.tensor([[1 / 3, 1, 2 / 3]]))
    channels = channel_sensitivity(layer, [torch.ones(1, 3)])["weight"]
    torch.testing.assert_close(channels, torch.tensor([1 / 3, 1, 2 / 3]))


def test_negative_inputs_are_a_sample_of_their_own() -> None:
    # relu(a) = (3, 0, 1) gives 3/4, 0, 1/4; relu(-a) = (0, 2, 0) gives 0, 1, 0.
    found = channel_sensitivity(hand_made(1, 1, 1), [torch.tensor([[3.0, -2.0, 1.0]])])["weight"]
    torch.testing.assert_close(found, torch.tensor([0.75, 1.0, 0.25]))


def test_mean_and_maximum_over_positions() -> None:
    layer, batch = hand_made(1, 1), torch.tensor([[[1.0, 3.0], [1.0, 0.0], [0.0, 0.0]]])
    mean = weight_sensitivity(layer, [batch], over_positions="mean")["weight"]
    largest = weight_sensitivity(layer, [batch], over_positions="max")["weight"]
    torch.testing.assert_close(mean, torch.tensor([[1.25 / 3, 0.25]]))
    torch.testing.assert_close(largest, torch.tensor([[1.0, 0.75]]))


@pytest.mark.parametrize(("scale", "share"), [(1.0, 0.0), (1.01, 1.0)])
def test_a_normaliser_up_to_epsilon_counts_as_zero(scale: float, share: float) -> None:
    batch = torch.full((1, 1), scale * torch.finfo(torch.float32).eps)
    found = weight_sensitivity(hand_made(1.0), [batch], over_positions="mean")["weight"]
    assert found.item() == channel_sensitivity(hand_made(1.0), [batch])["weight"].item() == share


def test_a_lone_input_has_the_whole_share_exactly() -> None:
    layer = seeded(lambda: nn.Linear(50, 40))
    for value in (0.1, 0.3, 7.7):
        assert torch.equal(
            channel_sensitivity(layer, [torch.eye(50) * value])["weight"], torch.ones(50)
        )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0, 1, 3, 6]))
def test_bounds_skip_no_largest_share(seed: int, decades: int) -> None:
    """Also where channels and filters differ by orders of magnitude, in inputs and weights."""
    layer, batch = seeded(lambda: nn.Conv2d(6, 8, 3), seed), images(6, 6, 5, 5, seed=seed).relu()
    scales = [10 ** (decades * images(count, seed=seed + count)).clamp(-8, 8) for count in (6, 8)]
    layer.weight.data *= scales[1][:, None, None, None]
    batch *= scales[0][:, None, None]
    found = channel_sensitivity(layer, batch.split([1, 2, 3]))["weight"]
    torch.testing.assert_close(found.double(), expected_channels(layer, batch), rtol=0, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_mean_shares_of_a_sign_sum_to_at_most_one(seed: int) -> None:
    layer = seeded(lambda: nn.Conv2d(3, 5, 3, padding=1), seed)
    batch = images(1, 3, 5, 5, seed=seed).relu()
    found = weight_sensitivity(layer, [batch], over_positions="mean")["weight"]
    assert float(found.min()) >= 0
    for part in (layer.weight > 0, layer.weight < 0):
        assert float((found * part).sum((1, 2, 3)).max()) <= 1 + 1e-5


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.sampled_from(OVER))
def test_scaling_a_filter_changes_nothing(seed: int, scale: float, over: Any) -> None:
    layer, batch = seeded(lambda: nn.Linear(8, 3), seed), [images(6, 8, seed=seed)]
    before = weight_sensitivity(layer, batch, over_positions=over)["weight"]
    layer.weight.data[1] *= scale
    after = weight_sensitivity(layer, batch, over_positions=over)["weight"]
    torch.testing.assert_close(before, after, rtol=0, atol=1e-5)


def small_network() -> nn.Sequential:
    """With negative inputs, a shared weight, and activations that are changed in place."""
    torch.manual_seed(3)
    first, second = nn.Conv2d(6, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
    second.weight = first.weight
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        first,
        nn.Tanh(),
        second,
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(24, 5),
    )


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5), max_size=4))
def test_batching_does_not_matter(sizes: list[int]) -> None:
    made, batch = small_network(), images(20, 3, 8, 8)
    batches = batch.split([*sizes, len(batch) - sum(sizes)]) if sum(sizes) < 20 else batch.split(1)
    for found, whole in [
        (channel_sensitivity(made, batches), channel_sensitivity(made, [batch])),
        *(
            (
                weight_sensitivity(made, batches, over_positions=over),
                weight_sensitivity(made, [batch], over_positions=over),
            )
            for over in OVER
        ),
    ]:
        assert list(found) == ["0.weight", "3.weight", "10.weight"]
        for name, sensitivity in found.items():
            torch.testing.assert_close(sensitivity, whole[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("over", OVER)
def test_layers_inside_a_network_match_the_definition(over: Any) -> None:
    made, batch = small_network().eval(), images(4, 3, 8, 8)
    found = weight_sensitivity(made, [batch], over_positions=over)
    with torch.no_grad():
        inputs = {at: made[:at](batch) for at in (0, 3, 5, 10)}
    wanted = {at: expected(made[at], inputs[at], over) for at in inputs}
    wanted[3] = torch.maximum(wanted[3], wanted.pop(5))
    for at, sensitivity in wanted.items():
        torch.testing.assert_close(
            found[f"{at}.weight"].double().flatten(), sensitivity.flatten(), rtol=0, atol=1e-5
        )


def test_what_is_dead_or_never_called_has_none() -> None:
    made = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten())
    made[1].unused = nn.Linear(4, 4)
    batch = images(3, 2, 5, 5)
    batch[:, 1] = 0
    made[0].weight.data[0, 0, 0, 0] = 0
    channels = channel_sensitivity(made, [batch])
    weights = weight_sensitivity(made, [batch], over_positions="mean")
    assert channels["0.weight"][0] > 0
    assert channels["0.weight"][1] == 0
    assert weights["0.weight"][:, 1].eq(0).all()
    assert weights["0.weight"][0, 0, 0, 0] == 0
    assert weights["0.weight"][0, 0].count_nonzero() == 8
    assert channels["1.unused.weight"].tolist() == [0] * 4
    assert weights["1.unused.weight"].eq(0).all()


def state(made: nn.Module) -> tuple[Any, ...]:
    return (
        {name: value.clone() for name, value in made.state_dict().items()},
        [module.training for module in made.modules()],
        [len(module._forward_pre_hooks) for module in made.modules()],
        [parameter.grad for parameter in made.parameters()],
    )


def failing() -> Any:
    yield images(2, 3, 8, 8)
    raise KeyError


def test_the_network_stays_as_it_was() -> None:
    made = small_network().train()
    made[1].eval()
    tensors, *rest = state(made)
    weight_sensitivity(made, [images(2, 3, 8, 8)], over_positions="mean")
    channel_sensitivity(made, [images(2, 3, 8, 8)])
    with pytest.raises(KeyError):
        weight_sensitivity(made, failing(), over_positions="max")
    after, *rest_after = state(made)
    assert all(torch.equal(tensors[name], after[name]) for name in tensors)
    assert rest == rest_after
    assert torch.is_grad_enabled()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_finds_the_same() -> None:
    made, batch = small_network(), images(20, 3, 8, 8)
    here = [weight_sensitivity(made, [batch], over_positions=over) for over in OVER]
    here.append(channel_sensitivity(made, [batch]))
    made.cuda()
    with torch.backends.cudnn.flags(allow_tf32=False):
        there = [weight_sensitivity(made, [batch.cuda()], over_positions=over) for over in OVER]
        there.append(channel_sensitivity(made, [batch.cuda()]))
    for one, other in zip(here, there, strict=True):
        for name, sensitivity in one.items():
            torch.testing.assert_close(sensitivity, other[name].cpu(), rtol=0, atol=1e-4)
