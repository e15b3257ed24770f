"""What tasks and measures ask of the networks, compared with what these are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orchestrator.plan.fit import check_fit, check_measures, check_networks
from orchestrator.spec import MeasureSpec, NetworkSpec, TaskSpec
from orchestrator.spec.mistakes import SweepError
from tests.execution.conftest import make_chain
from workers.contracts import Chain, Component, DataError, MeasureCell, Training


def folder(root: Path, name: str, *classes: str) -> Component:
    for label in classes:
        (root / name / label).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(root / name / label / "0.png")
    return Component("imagefolder", {"train": name, "test": name, "size": 4})


def network(data: Component) -> NetworkSpec:
    recipe = Training(epochs=1)
    return NetworkSpec(
        name="net", model=Component("resnet8"), data=data, training=recipe, retraining=recipe
    )


def shifted(data: Component, **options: Any) -> TaskSpec:
    named = {"data": {data.name: dict(data.options)}, **options}
    return TaskSpec(
        label="shifted-imagefolder",
        task=Component("shifted", named),
        distribution="test",
        place="s.yaml:9:5: tasks.test[0]",
    )


def test_classes_of_the_same_names_fit(tmp_path: Path) -> None:
    own = network(folder(tmp_path, "own", "bird", "cat", "dog"))
    check_fit([shifted(folder(tmp_path, "a", "cat", "dog"))], [own], tmp_path)
    other = folder(tmp_path, "b", "car", "tabby")
    check_fit([shifted(other, classes={"tabby": "cat"})], [own], tmp_path)


def test_a_class_that_a_network_lacks_is_told_with_its_place(tmp_path: Path) -> None:
    fits, lacks = (network(folder(tmp_path, n, "cat", f"dog{n}")) for n in ("", "s"))
    task = shifted(folder(tmp_path, "a", "dog"))
    check_fit([task], [fits], tmp_path)
    message = (
        r"^s\.yaml:9:5: tasks\.test\[0\]: shifted-imagefolder does not fit net: the network has no "
        r"class 'dog' .*did you mean 'dogs'\?$"
    )
    with pytest.raises(DataError, match=message):
        check_fit([task], [fits, lacks], tmp_path)


def test_a_map_to_a_class_that_a_network_lacks_is_told(tmp_path: Path) -> None:
    own = network(folder(tmp_path, "own", "cat", "dog"))
    task = shifted(folder(tmp_path, "a", "tabby"), classes={"tabby": "catt"})
    with pytest.raises(DataError, match="classes: the network has no class 'catt', did you mean"):
        check_fit([task], [own], tmp_path)


def test_classes_are_no_label_maps(tmp_path: Path) -> None:
    task = shifted(folder(tmp_path, "a", "cat"))
    with pytest.raises(DataError, match=r"has one class per image, .* have a class per pixel"):
        check_fit([task], [network(Component("voc", {"size": 8}))], tmp_path)


@pytest.mark.parametrize("task", [Component("nominal"), Component("outliers", {"data": "svhn"})])
def test_what_is_of_none_of_the_network_s_classes_fits(task: Component, tmp_path: Path) -> None:
    spec = TaskSpec(label="t", task=task, distribution="other")
    check_fit([spec], [network(folder(tmp_path, "own", "cat"))], tmp_path)


def measures(*names: str) -> list[MeasureSpec]:
    return [
        MeasureSpec(label=name, measure=Component(name), place=f"s.yaml:{line}:3: measures[{line}]")
        for line, name in enumerate(names)
    ]


def test_measures_of_classes_are_refused_for_networks_on_label_maps() -> None:
    maps = network(Component("voc", {"size": 8}))
    networks = [maps, network(Component("digits")).model_copy(update={"name": "other"})]
    check_measures(measures("cka", "latency", "svcca"), networks)
    check_measures(measures("cka", "noise_similarity"), networks[1:])
    with pytest.raises(SweepError) as refused:
        check_measures(measures("cka", "noise_similarity", "jacobian"), networks)
    assert refused.value.lines == tuple(
        f"s.yaml:{line}:3: measures[{line}]: {name} does not fit net: its data have a class per "
        "pixel"
        for line, name in ((1, "noise_similarity"), (2, "jacobian"))
    )


def measured(network: str, *names: str) -> Chain:
    cells = tuple(MeasureCell(key="", label=name, measure=Component(name)) for name in names)
    return replace(make_chain("a", "dense"), network=network, measures=cells)


def test_every_network_that_a_measure_does_not_suit_is_told_once() -> None:
    names = ("cka", "linear_regions")
    chains = [measured(network, *names) for network in ("good", "bad", "bad", "worse")]
    found = {"good": ["", ""], "bad": ["", "found Conv2d"], "worse": ["no", "found none"]}
    with pytest.raises(SweepError) as refused:
        check_networks(measures(*names), chains, lambda chain: found[chain.network])
    assert refused.value.lines == (
        "s.yaml:1:3: measures[1]: linear_regions does not fit bad: found Conv2d",
        "s.yaml:0:3: measures[0]: cka does not fit worse: no",
        "s.yaml:1:3: measures[1]: linear_regions does not fit worse: found none",
    )
    check_networks(measures(*names), chains[:1], lambda chain: found[chain.network])


def test_networks_are_only_looked_at_for_a_measure_that_not_all_suit() -> None:
    def refuse(_: Chain) -> list[str]:
        raise AssertionError("looked at")

    check_networks(measures("cka", "latency"), [measured("net", "cka", "latency")], refuse)
    check_networks(measures("linear_regions"), [make_chain("dense")], refuse)
