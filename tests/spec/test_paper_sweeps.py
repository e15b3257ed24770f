"""The sweeps of Lost in Pruning say what the paper's configurations say."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestrator.analysis import claims
from orchestrator.spec import SweepSpec
from orchestrator.spec.labels import label
from orchestrator.spec.loading import load_sweep
from workers.contracts import Component, Schedule, Training

SWEEPS = Path(__file__).parents[2] / "sweeps"
NOMINAL = ("resnet20", "resnet56", "resnet110", "vgg16", "densenet22", "wrn16_8")

# In percent, as printed; every ratio here is retrained and measured.
RESNET20 = (
    "15.0 22.4 29.2 35.4 41.0 46.2 50.8 55.1 59.1 62.6 65.9 68.9 71.6 74.1 76.3 78.4 80.3 82.0 "
    "83.6 85.0 89.6 93.8 98.0"
)
TO_98 = (
    "15.0 30.2 42.7 53.0 61.4 68.3 74.0 78.6 82.5 85.6 88.2 90.3 92.0 93.5 94.6 95.6 96.4 97.0 "
    "97.6 98.0"
)
DENSENET22 = (
    "15.0 24.1 32.1 39.4 45.8 51.6 56.8 61.4 65.5 69.2 72.4 75.4 78.0 80.3 82.4 84.3 86.0 87.5 "
    "88.8 90.0 92.6 95.3"
)
ROBUST = "20.0 35.7 48.4 58.5 66.7 73.2 78.5 82.7 86.1 88.8 91.0 92.8 94.2 95.4 96.3 97.0"
ROBUST_DENSENET22 = "20.0 36.5 49.6 60.0 68.3 74.8 80.0 84.1 87.4 90.0 92.1 93.7 95.0"
RESNET101 = "10.0 17.4 24.2 30.4 36.2 41.4 46.2 50.7 54.7 58.4 61.9 65.0 69.0 73.2 77.4 81.6"
LADDERS = {
    "cifar10_resnet20": RESNET20,
    "cifar10_resnet56": TO_98,
    "cifar10_resnet110": TO_98,
    "cifar10_vgg16": TO_98,
    "cifar10_densenet22": DENSENET22,
    "cifar10_wrn16_8": f"{DENSENET22.removesuffix(' 92.6 95.3')} 92.6 95.3 98.0",
    **{f"cifar10_robust_{name}": ROBUST for name in NOMINAL},
    "cifar10_robust_densenet22": ROBUST_DENSENET22,
    "imagenet_resnet18": f"{RESNET101} 85.8 90.0",
    "imagenet_resnet101": RESNET101,
    "voc_deeplabv3_resnet50": "20.0 36.5 49.6 60.0 68.3 74.8 80.0 84.1 87.4 90.0 92.0 93.7 95.1 "
    "96.2 97.0",
}
RESNET: dict[str, Any] = {"epochs": 182, "milestones": (91.0, 136.0), "warmup": 5.0}
VGG: dict[str, Any] = {
    "epochs": 300, "batch_size": 256, "lr": 0.05, "schedule": "step", "period": 30.0,
    "gamma": 0.5, "warmup": 10.0, "weight_decay": 5e-4,
}  # fmt: skip
DENSENET: dict[str, Any] = {
    "epochs": 300, "batch_size": 64, "milestones": (150.0, 225.0), "warmup": 10.0,
    "nesterov": True,
}  # fmt: skip
WRN: dict[str, Any] = {
    "epochs": 200, "milestones": (60.0, 120.0, 160.0), "gamma": 0.2, "warmup": 5.0,
    "nesterov": True, "weight_decay": 5e-4,
}  # fmt: skip
CIFAR = {
    "resnet20": ("resnet20", RESNET),
    "resnet56": ("resnet56_bottleneck", RESNET),
    "resnet110": ("resnet110_bottleneck", RESNET),
    "vgg16": ("vgg16_bn", VGG),
    "densenet22": ("densenet22", DENSENET),
    "wrn16_8": ("wrn16_8", WRN),
}
CORRUPTIONS = {
    "brightness", "contrast", "defocus_blur", "elastic_transform", "fog", "frost", "gaussian_blur",
    "gaussian_noise", "glass_blur", "impulse_noise", "jpeg", "motion_blur", "pixelate", "saturate",
    "shot_noise", "snow", "spatter", "speckle_noise", "zoom_blur",
}  # fmt: skip
MIX_1 = {
    "contrast", "elastic_transform", "gaussian_blur", "impulse_noise", "motion_blur", "pixelate",
    "shot_noise", "snow", "zoom_blur",
}  # fmt: skip
SHIFTED = "shifted-cifar10_1"


@cache
def spec(name: str) -> SweepSpec:
    return load_sweep(SWEEPS / "paper" / f"{name}.yaml")


def labels(spec: SweepSpec, distribution: str) -> set[str]:
    return {task.label for task in spec.tasks if task.distribution == distribution}


def severity_3(names: set[str], table: str = "") -> set[str]:
    return {f"{name}-3{table}" for name in names}


def epochs(spec: SweepSpec) -> tuple[int, int]:
    """Epochs of training, and of retraining: levels × methods × networks × epochs."""
    (network,) = spec.networks
    chains = len(spec.methods) * len(spec.seeds)
    retraining = len(spec.ladder) * chains * network.retraining.epochs
    return len(spec.seeds) * network.training.epochs, retraining


def test_there_is_a_file_for_every_configuration_of_the_paper() -> None:
    files = {path.stem for path in (SWEEPS / "paper").glob("*.yaml")}
    assert files == LADDERS.keys() | {"cifar10_resnet20_noise"}
    assert len(LADDERS) == 15


@pytest.mark.parametrize("name", LADDERS)
def test_the_ladders_are_those_of_the_paper(name: str) -> None:
    printed = [float(ratio) for ratio in LADDERS[name].split()]
    ratios = [100 * rung.ratio for rung in spec(name).ladder]
    assert ratios == pytest.approx(printed, abs=0.0501)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("cifar10_resnet20", 69),
        ("cifar10_resnet110", 60),
        ("cifar10_densenet22", 66),
        ("cifar10_wrn16_8", 69),
        ("cifar10_robust_resnet20", 16),
        ("imagenet_resnet18", 18),
        ("voc_deeplabv3_resnet50", 15),
    ],
)
def test_between_the_levels_are_as_many_ratios_as_in_the_paper(name: str, steps: int) -> None:
    assert sum(1 + len(rung.steps) for rung in spec(name).ladder) == steps


@pytest.mark.parametrize("name", LADDERS)
def test_what_all_sweeps_share(name: str) -> None:
    sweep = spec(name)
    assert [label(method) for method in sweep.methods] == ["wt", "sipp", "ft", "pfp"]
    assert sweep.schedules == (Schedule(order="cascade", retraining="lr_rewinding"),)
    assert sweep.analysis.deltas == (0.005,)
    assert sweep.analysis.rule == "any"
    assert sweep.parity == "paper"
    seeds = {"cifar10": (0, 1, 2), "imagenet": (0,), "voc": (0, 1)}
    assert sweep.seeds == seeds[sweep.networks[0].data.name]
    assert sweep.store == SWEEPS.parent / "store"
    assert sweep.data_root == SWEEPS.parent / "data"


@pytest.mark.parametrize("robust", [False, True], ids=["nominal", "robust"])
@pytest.mark.parametrize("name", NOMINAL)
def test_cifar10_networks_and_recipes(name: str, robust: bool) -> None:
    model, recipe = CIFAR[name]
    (network,) = spec(f"cifar10_robust_{name}" if robust else f"cifar10_{name}").networks
    assert (network.name, network.model) == (name, Component(model))
    assert network.data == Component("cifar10")
    expected = Training(**recipe, crop=4, flip=True)
    assert network.training == Training(
        **{**vars(expected), "mix": network.training.mix if robust else ()}
    )
    assert set(network.training.mix) == (MIX_1 if robust else set())
    assert network.training.mix_severities == "imagenet"
    retrained = 150 if name == "vgg16" else recipe["epochs"]
    assert network.retraining == Training(**{**vars(network.training), "epochs": retrained})


@pytest.mark.parametrize("name", ["imagenet_resnet18", "imagenet_resnet101"])
def test_imagenet(name: str) -> None:
    (network,) = spec(name).networks
    assert network.model == Component("torchvision", {"name": network.name})
    assert network.data == Component("imagenet")
    milestones = (30.0, 60.0, 80.0)
    recipe = Training(epochs=90, batch_size=256, milestones=milestones, warmup=5.0, flip=True)
    assert network.training == network.retraining == recipe


def test_voc() -> None:
    (network,) = spec("voc_deeplabv3_resnet50").networks
    assert network.model.name == "deeplabv3_resnet50"
    assert network.data == Component("voc", {"split": "sbd"})
    recipe = Training(
        epochs=45, batch_size=32, lr=0.02, schedule="polynomial", power=0.9, flip=True
    )
    assert network.training == network.retraining == recipe


@pytest.mark.parametrize("name", NOMINAL)
def test_cifar10_tasks(name: str) -> None:
    sweep = spec(f"cifar10_{name}")
    assert labels(sweep, "train") == {"nominal"}
    assert labels(sweep, "test") == {SHIFTED} | severity_3(CORRUPTIONS)
    robust = spec(f"cifar10_robust_{name}")
    assert labels(robust, "train") == {"nominal"} | severity_3(MIX_1)
    assert labels(robust, "test") == {SHIFTED} | severity_3(CORRUPTIONS - MIX_1)


@pytest.mark.parametrize(
    "name", ["imagenet_resnet18", "imagenet_resnet101", "voc_deeplabv3_resnet50"]
)
def test_tasks_of_large_images_have_imagenets_severities(name: str) -> None:
    assert labels(spec(name), "train") == {"nominal"}
    assert labels(spec(name), "test") == severity_3(CORRUPTIONS, "-imagenet")


@pytest.mark.parametrize(
    ("name", "retraining"),
    [
        ("cifar10_resnet20", 50_232),
        ("cifar10_resnet56", 43_680),
        ("cifar10_resnet110", 43_680),
        ("cifar10_vgg16", 36_000),
        ("cifar10_densenet22", 79_200),
        ("cifar10_wrn16_8", 55_200),
        ("cifar10_robust_resnet20", 34_944),
        ("cifar10_robust_resnet110", 34_944),
    ],
)
def test_retraining_costs_what_the_paper_needed(name: str, retraining: int) -> None:
    assert epochs(spec(name))[1] == retraining


COSTED = [path for path in SWEEPS.glob("*/*.yaml") if path.parent.name in ("paper", "small")]


@pytest.mark.parametrize("path", sorted(COSTED), ids=lambda path: path.stem)
def test_every_file_says_how_to_run_it_and_what_it_costs(path: Path) -> None:
    sweep, text = load_sweep(path), path.read_text()
    named = f"sweeps/{path.parent.name}/{path.name}"
    assert f"#   prunesweep run {named}\n" in text
    assert f"#   prunesweep verify-results {named}" in text
    networks = len(sweep.seeds) * (1 + len(sweep.methods) * len(sweep.ladder))
    numbers = re.search(r"# Cost: +([\d,]+) networks, ([\d,]+) epochs", text)
    evaluations = re.search(r"([\d,]+)\s+evaluations", text.replace("#", ""))
    assert numbers
    assert evaluations
    told = [int(number.replace(",", "")) for number in (*numbers.groups(), evaluations[1])]
    assert told == [networks, sum(epochs(sweep)), networks * len(sweep.tasks)]


@pytest.mark.parametrize("path", sorted(COSTED), ids=lambda path: path.stem)
def test_what_a_sweep_expects_is_about_what_it_has(path: Path) -> None:
    sweep = load_sweep(path)
    assert sweep.expect.given
    methods = {label(method) for method in sweep.methods}
    tasks = {task.label for task in sweep.tasks}
    for one in sweep.expect.potential:
        assert one.task is None or one.task in tasks
        assert one.values.keys() <= methods
    for slope in sweep.expect.slope:
        assert slope.values.keys() <= methods
    twice = [task for (task, method), n in _named(sweep).items() if n > 1]
    assert twice == []


def _named(sweep: SweepSpec) -> Counter[tuple[str | None, str]]:
    potential = sweep.expect.potential
    return Counter((one.task or one.distribution, name) for one in potential for name in one.values)


def test_the_noise_sweep_is_the_same_networks() -> None:
    noise, nominal = spec("cifar10_resnet20_noise"), spec("cifar10_resnet20")
    same = ("networks", "seeds", "methods", "schedules", "ladder", "parity", "store")
    for part in same:
        if part != "networks":
            assert getattr(noise, part) == getattr(nominal, part)
    (ours,), (theirs,) = noise.networks, nominal.networks
    assert ours.model_copy(update={"place": ""}) == theirs.model_copy(update={"place": ""})
    levels = [task.task.options["level"] for task in noise.tasks if task.task.options]
    assert levels == pytest.approx([0.05 * step for step in range(1, 15)])


def test_the_mixes_of_the_claims_are_those_of_the_sweeps() -> None:
    assert set(claims.MIX_1) == MIX_1
    assert set(claims.MIX_2) == CORRUPTIONS - MIX_1
    assert set(claims.NOISE + claims.BLUR + claims.WEATHER) < CORRUPTIONS
