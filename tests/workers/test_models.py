import sys
import textwrap
from pathlib import Path

import pytest
import torch

from workers.architectures.torchvision_classifier import load_published
from workers.contracts import Component, Model
from workers.registry import MODELS, UnknownPlugInError


def build(
    model: str, *, channels: int = 3, classes: int = 10, **options: object
) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.create(Component(model, options)).build(channels=channels, classes=classes)


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_resnet20_has_the_published_size() -> None:
    network = build("resnet20")
    prunable = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert parameters(network) == 272_474
    assert len(prunable) == 22
    assert sum(m.weight.numel() for m in prunable) == 270_896


def test_resnet8_has_ten_prunable_layers() -> None:
    network = build("resnet8")
    prunable = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(prunable) == 10


@pytest.mark.parametrize("name", ["resnet20", "vgg_small"])
def test_convolutions_start_with_the_published_spread(name: str) -> None:
    for module in build(name, width=64).modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 30_000:
            expected = (2 / (module.kernel_size[0] ** 2 * module.out_channels)) ** 0.5
            assert module.weight.std().item() == pytest.approx(expected, rel=0.02)


def test_width_scales_every_layer() -> None:
    assert build("resnet8", width=4).linear.in_features == 16
    assert build("vgg_small", width=4).linear.in_features == 16


@pytest.mark.parametrize(("name", "channels"), [("resnet18", 1), ("mobilenet_v3_small", 3)])
def test_torchvision_takes_channels_and_classes(name: str, channels: int) -> None:
    network = build("torchvision", name=name, channels=channels, classes=7).eval()
    assert network(torch.zeros(2, channels, 32, 32)).shape == (2, 7)


def test_torchvision_resnet18_has_its_known_size() -> None:
    assert parameters(build("torchvision", name="resnet18", classes=1000)) == 11_689_512


def test_inception_returns_plain_logits_in_training() -> None:
    network = build("torchvision", name="googlenet", classes=5).train()
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 5)


def test_published_weights_are_loaded_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    published = build("torchvision", name="resnet18", classes=1000).state_dict()
    downloads: list[str] = []

    def download(url: str, **_: object) -> dict[str, torch.Tensor]:
        downloads.append(url)
        return published

    # Stands for the download, which tests do without.
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    torch.manual_seed(1)
    model = MODELS.create(Component("torchvision", {"name": "resnet18", "weights": "DEFAULT"}))
    network, grey = model.build(channels=3, classes=10), model.build(channels=1, classes=1000)
    assert not downloads
    assert not torch.equal(network.conv1.weight, published["conv1.weight"])
    head, first = network.fc.weight.clone(), grey.conv1.weight.clone()
    model.load_published(network)
    model.load_published(grey)
    assert len(downloads) == 2
    assert torch.equal(network.conv1.weight, published["conv1.weight"])
    assert torch.equal(network.fc.weight, head)
    assert torch.equal(grey.conv1.weight, first)
    assert torch.equal(grey.fc.weight, published["fc.weight"])


@pytest.mark.parametrize(
    ("name", "options"), [("resnet8", {}), ("torchvision", {"name": "resnet18"})]
)
def test_without_published_weights_a_network_stays_fresh(
    name: str, options: dict[str, str]
) -> None:
    network = build(name, **options)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    MODELS.create(Component(name, options)).load_published(network)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_unknown_torchvision_names_get_the_nearest() -> None:
    with pytest.raises(UnknownPlugInError, match=r"classifier 'resnet19', did you mean 'resnet1"):
        build("torchvision", name="resnet19")
    with pytest.raises(
        UnknownPlugInError, match=r"weights of resnet18 'IMAGENET_V1', did you mean"
    ):
        load_published(build("torchvision", name="resnet18"), "resnet18", "IMAGENET_V1")


@pytest.fixture
def own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put a network factory into a module that the package knows nothing of."""
    source = """
        from torch import nn

        def linear(*, channels: int, classes: int, side: int = 8) -> nn.Module:
            return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, classes))
    """
    (tmp_path / "own_network.py").write_text(textwrap.dedent(source))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_network", raising=False)
    return "own_network:linear"


def test_a_factory_from_elsewhere_is_a_model(own_network: str) -> None:
    network = build(own_network, channels=1, classes=4, side=5)
    assert network(torch.zeros(2, 1, 5, 5)).shape == (2, 4)
    plug_in = MODELS.get(own_network)
    assert issubclass(plug_in, Model)
    assert len(str(plug_in.version)) == 16


def test_a_factory_that_is_not_there_is_named(own_network: str) -> None:
    with pytest.raises(UnknownPlugInError, match=r"cannot import model 'own_network:nothing'"):
        MODELS.get("own_network:nothing")
