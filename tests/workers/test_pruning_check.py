"""Networks that can be pruned, and networks of which it is said why not."""

import json
import sys
import textwrap
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from workers.contracts import Component
from workers.pruning.check import Checked, UnusableNetworkError, check_model
from workers.registry import METHODS

Check = Callable[..., Checked]

NETWORKS = """
    import torch
    from torch import nn

    def grouped(*, channels, classes):
        return nn.Sequential(
            nn.Conv2d(channels, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8),
            nn.ConvTranspose2d(8, 4, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(4, classes),
        )

    class Waste(nn.Module):
        def __init__(self, channels, classes):
            super().__init__()
            self.linear = nn.Linear(channels, classes)
            self.unused = nn.Linear(3, 3)
            self.scale = nn.Parameter(torch.ones(classes))

        def forward(self, x):
            return self.linear(x.mean((2, 3))) + 0 * self.scale

    def waste(*, channels, classes):
        return Waste(channels, classes)

    def starting_at_zero(*, channels, classes):
        layers = nn.Conv2d(channels, 6, 1), nn.Conv2d(6, classes, 1)
        nn.init.zeros_(layers[1].weight)
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    class Pixels(nn.Module):
        def __init__(self, channels, classes):
            super().__init__()
            self.hidden = nn.Conv2d(channels, 8, 3, padding=1)
            self.out, self.aux = (nn.Conv2d(8, classes, 1) for _ in range(2))

        def forward(self, x):
            x = torch.relu(self.hidden(x))
            return {"out": self.out(x), "aux": self.aux(x)}

    def pixels(*, channels, classes):
        return Pixels(channels, classes)

    def parameterless(*, channels, classes):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(channels))

    def broken(*, channels, classes):
        raise KeyError("layers")

    class Tuple(nn.Linear):
        def forward(self, x):
            return super().forward(x.mean((2, 3))), x

    def tuple_of(*, channels, classes):
        return Tuple(channels, classes)

    def too_wide(*, channels, classes):
        return nn.Linear(9, classes)
"""


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    """Check a network factory of a module that the package knows nothing of."""
    (tmp_path / "checked_networks.py").write_text(textwrap.dedent(NETWORKS))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "checked_networks", raising=False)

    def run(name: str, *, channels: int = 3, classes: int = 3, size: int = 8) -> Checked:
        component = Component(f"checked_networks:{name}")
        return check_model(component, channels=channels, classes=classes, size=size)

    return run


def errors(checked: Checked) -> dict[str, str | None]:
    return {result.method: result.error for result in checked.methods}


def test_a_network_that_every_method_prunes() -> None:
    component = Component("resnet8", {"width": 4})
    checked = check_model(component, channels=3, classes=10, size=16)
    assert errors(checked) == dict.fromkeys(METHODS.names())
    assert (checked.layers, checked.uncalled, checked.skipped, checked.dead) == (10, (), (), ())
    # 27·4 and, with 16² pixels: 2·144; with 8²: 288 + 576 + 32; with 4²: 1152 + 2304 + 128; 160.
    assert checked.prunable == 108 + 288 + 896 + 3584 + 160
    assert checked.macs == (108 + 288) * 256 + 896 * 64 + 3584 * 16 + 160


def test_the_result_is_plain_and_repeats() -> None:
    one, two = (
        check_model(Component("vgg_small", {"width": 2}), channels=1, classes=4, size=8)
        for _ in range(2)
    )
    assert one == two
    assert json.loads(json.dumps(asdict(one)))["parameters"] == one.parameters


def test_global_randomness_is_left_alone(check: Check) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    check("waste")
    assert torch.equal(torch.rand(1), expected)


def test_weights_that_no_method_prunes_are_told_of(check: Check) -> None:
    skipped = check("grouped").skipped
    assert [(s.kind, s.names, s.parameters) for s in skipped] == [
        ("Conv2d with groups", ("2.weight",), 72),
        ("ConvTranspose2d", ("3.weight",), 128),
    ]


def test_parameters_that_never_learn_are_told_of(check: Check) -> None:
    checked = check("waste")
    assert checked.dead == ("scale", "unused.weight", "unused.bias")
    assert checked.uncalled == ("unused.weight",)
    assert checked.macs == 9


def test_a_layer_that_starts_at_zero_is_neither_dead_nor_pruned(check: Check) -> None:
    checked = check("starting_at_zero")
    assert checked.dead == ()
    assert checked.macs == (18 + 18) * 64


def test_a_network_for_segmentation(check: Check) -> None:
    checked = check("pixels", size=6)
    assert checked.dead == ()
    assert checked.macs == (216 + 24 + 24) * 36
    assert errors(checked) == dict.fromkeys(METHODS.names())


def test_methods_say_why_they_cannot(check: Check) -> None:
    found = errors(check("parameterless"))
    expected = "the network has no prunable layer (Conv2d without groups, or Linear)"
    assert found["wt"] == found["ft"] == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", r"^cannot build checked_networks:broken: KeyError: 'layers'$"),
        ("too_wide", r"^cannot run checked_networks:too_wide on images of 3 x 8 x 8: RuntimeError"),
        ("tuple_of", r"8 x 8: expected logits, or a mapping of 'out' to them, found tuple$"),
        ("nothing", r"^cannot build checked_networks:nothing: cannot import model"),
    ],
)
def test_a_network_that_does_not_work(check: Check, name: str, message: str) -> None:
    with pytest.raises(UnusableNetworkError, match=message):
        check(name)


def test_logits_of_another_shape_are_refused(check: Check) -> None:
    with pytest.raises(
        UnusableNetworkError, match=r"expected logits of shape \[4, 7\], found \[4, 3"
    ):
        check("parameterless", classes=7)


def test_a_size_that_the_model_was_not_made_for() -> None:
    with pytest.raises(
        UnusableNetworkError, match=r"on images of 1 x 32 x 32: expected images of 28"
    ):
        check_model(Component("lenet5"), channels=1, classes=10, size=32)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("None", "expected a Module, found NoneType"),
        ("torch.nn.LazyConv2d(3, 1)", "has lazy layers: give their sizes"),
    ],
)
def test_what_is_no_network_yet_is_said_to_be_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, message: str
) -> None:
    source = f"import torch\n\ndef make(*, channels, classes):\n    return {made}\n"
    name = f"made_{abs(hash(made))}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnusableNetworkError, match=message):
        check_model(Component(f"{name}:make"), channels=3, classes=4, size=8)
