import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
import torch

from workers.architectures.torchvision_classifier import load_published
from workers.contracts import Component, Model, PermanentError
from workers.registry import MODELS, UnknownPlugInError


def build(
    model: str, *, channels: int = 3, classes: int = 10, **options: object
) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.create(Component(model, options)).build(channels=channels, classes=classes)


def parameters(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet20", {"width": 64}),
        ("resnet56_bottleneck", {"width": 64}),
        ("vgg_small", {"width": 64}),
        ("vgg16_bn", {}),
        ("densenet22", {"growth": 64}),
        ("wrn16_8", {}),
    ],
)
def test_convolutions_start_with_the_published_spread(name: str, options: dict[str, int]) -> None:
    convolutions = [m for m in build(name, **options).modules() if isinstance(m, torch.nn.Conv2d)]
    large = [conv for conv in convolutions if conv.weight.numel() > 30_000]
    assert large
    for conv in large:
        expected = (2 / (conv.kernel_size[0] ** 2 * conv.out_channels)) ** 0.5
        assert conv.weight.std().item() == pytest.approx(expected, rel=0.02)


def test_width_scales_every_layer() -> None:
    assert build("resnet8", width=4).linear.in_features == 16
    assert build("resnet56", width=4).linear.in_features == 16
    assert build("resnet110", width=4).linear.in_features == 16
    assert build("resnet56_bottleneck", width=4).linear.in_features == 64
    assert build("resnet110_bottleneck", width=4).linear.in_features == 64
    assert build("vgg_small", width=4).linear.in_features == 16
    assert build("vgg16_bn", width=4).linear.in_features == 32
    # 2·growth, three dense layers, halved, three more, halved, three more.
    assert build("densenet22", growth=4).linear.in_features == ((8 + 12) // 2 + 12) // 2 + 12


@pytest.mark.parametrize("name", ["lenet300_100", "lenet5"])
def test_lenets_are_made_for_one_size(name: str) -> None:
    network = build(name, channels=3, size=20)
    assert network(torch.zeros(2, 3, 20, 20)).shape == (2, 10)
    with pytest.raises(
        PermanentError, match="expected images of 20 by 20, found 28 by 24; the mod"
    ):
        network(torch.zeros(2, 3, 28, 24))


def test_lenet5_leaves_one_pixel_at_least() -> None:
    assert build("lenet5", size=16).fc1.in_features == 50
    with pytest.raises(ValueError, match="expected a size of at least 16, found 15"):
        build("lenet5", size=15)
    with pytest.raises(ValueError, match="expected a size of at least 1, found 0"):
        build("lenet300_100", size=0)


def test_deeplab_classifies_every_pixel() -> None:
    network = build("deeplabv3_resnet50", channels=1, classes=4).eval()
    output = network(torch.zeros(1, 1, 24, 40))
    assert {name: logits.shape for name, logits in output.items()} == {
        "out": (1, 4, 24, 40),
        "aux": (1, 4, 24, 40),
    }


@pytest.mark.parametrize(("name", "channels"), [("resnet18", 1), ("mobilenet_v3_small", 3)])
def test_torchvision_takes_channels_and_classes(name: str, channels: int) -> None:
    network = build("torchvision", name=name, channels=channels, classes=7).eval()
    assert network(torch.zeros(2, channels, 32, 32)).shape == (2, 7)


def test_torchvision_resnet18_has_its_known_size() -> None:
    assert parameters(build("torchvision", name="resnet18", classes=1000)) == 11_689_512


def test_inception_returns_plain_logits_in_training() -> None:
    network = build("torchvision", name="googlenet", classes=5).train()
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 5)


Published = dict[str, dict[str, torch.Tensor]]


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Published:
    """Stand for the downloads, which tests do without: weights by the start of their file name."""
    published: Published = {}

    def download(url: str, **_: object) -> dict[str, torch.Tensor]:
        return published[url.rpartition("/")[2].partition("-")[0]]

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    return published


def test_published_weights_are_loaded_where_they_fit(downloads: Published) -> None:
    published = build("torchvision", name="resnet18", classes=1000).state_dict()
    torch.manual_seed(1)
    model = MODELS.create(Component("torchvision", {"name": "resnet18", "weights": "DEFAULT"}))
    network, grey = model.build(channels=3, classes=10), model.build(channels=1, classes=1000)
    assert not torch.equal(network.conv1.weight, published["conv1.weight"])
    head, first = network.fc.weight.clone(), grey.conv1.weight.clone()
    downloads["resnet18"] = published
    model.load_published(network)
    model.load_published(grey)
    assert torch.equal(network.conv1.weight, published["conv1.weight"])
    assert torch.equal(network.fc.weight, head)
    assert torch.equal(grey.conv1.weight, first)
    assert torch.equal(grey.fc.weight, published["fc.weight"])


def test_deeplab_loads_its_backbone_then_itself(downloads: Published) -> None:
    options = {"backbone": "DEFAULT", "weights": "DEFAULT"}
    model = MODELS.create(Component("deeplabv3_resnet50", options))
    network = model.build(channels=3, classes=2)
    own = network.state_dict()
    downloads["resnet50"] = {
        "conv1.weight": torch.full_like(own["backbone.conv1.weight"], 1.0),
        "bn1.weight": torch.full_like(own["backbone.bn1.weight"], 1.5),
        "fc.weight": torch.zeros(1000, 2048),
    }
    downloads["deeplabv3_resnet50_coco"] = {
        "backbone.bn1.weight": torch.full_like(own["backbone.bn1.weight"], 2.0),
        "classifier.4.weight": torch.zeros(21, 256, 1, 1),
    }
    head = network.classifier[4].weight.clone()
    model.load_published(network)
    assert (network.backbone.conv1.weight == 1).all()
    assert (network.backbone.bn1.weight == 2).all()
    assert torch.equal(network.classifier[4].weight, head)


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


def test_many_names_are_cut_short() -> None:
    with pytest.raises(UnknownPlugInError, match=r"expected one of alexnet, .*, …$"):
        build("torchvision", name="!")


def test_timm_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(PermanentError, match=r"needs .* timm: pip install 'prunesweep\[timm\]'"):
        build("timm", name="resnet18")


class TestTimm:
    @pytest.fixture(autouse=True)
    def timm(self) -> ModuleType:
        return pytest.importorskip("timm", reason="timm is an optional extra")

    @pytest.mark.parametrize("name", ["resnet18", "resnet18.a1_in1k", "convnext_atto"])
    def test_takes_channels_and_classes(self, name: str) -> None:
        network = build("timm", name=name, channels=1, classes=7).eval()
        assert network(torch.zeros(2, 1, 32, 32)).shape == (2, 7)

    def test_resnet18_has_its_known_size(self) -> None:
        assert parameters(build("timm", name="resnet18", classes=1000)) == 11_689_512

    def test_unknown_names_get_the_nearest(self) -> None:
        with pytest.raises(UnknownPlugInError, match=r"classifier 'resnte18', did you mean 'resn"):
            build("timm", name="resnte18")
        with pytest.raises(
            UnknownPlugInError, match=r"'resnet18.a1_in1', did you mean 'resnet18.a"
        ):
            build("timm", name="resnet18.a1_in1")

    def test_published_weights_are_loaded_where_they_fit(
        self, timm: ModuleType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = "resnet18.a1_in1k"
        model = MODELS.create(Component("timm", {"name": name, "pretrained": True}))
        network, published = model.build(channels=3, classes=10), timm.create_model(name)
        head = network.fc.weight.clone()
        asked: list[object] = []

        def download(*args: object, **options: object) -> torch.nn.Module:
            asked.append((args, options))
            return published

        # Stands for the download, which tests do without.
        monkeypatch.setattr(timm, "create_model", download)
        model.load_published(network)
        assert asked == [((name,), {"pretrained": True})]
        assert torch.equal(network.conv1.weight, published.conv1.weight)
        assert torch.equal(network.fc.weight, head)

    def test_says_what_is_not_published(self, timm: ModuleType) -> None:
        published = {name.partition(".")[0] for name in timm.list_models(pretrained=True)}
        name = next(name for name in timm.list_models() if name not in published)
        model = MODELS.create(Component("timm", {"name": name, "pretrained": True}))
        with pytest.raises(UnknownPlugInError, match=f"timm weights '{name}', expected none"):
            model.load_published(torch.nn.Identity())


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
