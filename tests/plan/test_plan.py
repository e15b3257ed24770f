from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orchestrator.plan import Plan, make_plan
from orchestrator.spec.loading import load_sweep
from workers.contracts import Chain, Component, DataError, Task
from workers.pruning.methods.wt import WeightThresholding
from workers.registry import TASKS

Write = Callable[..., Path]


def planned(file: Path) -> Plan:
    return make_plan(load_sweep(file))


def by_name(plan: Plan) -> dict[str, Chain]:
    return {chain.name: chain for chain in plan.chains}


def keys(plan: Plan) -> set[str]:
    return {key for chain in plan.chains for key in chain.networks}


def test_every_method_prunes_the_same_parent(tiny: Write) -> None:
    plan = planned(tiny())
    assert [chain.name for chain in plan.chains] == [
        "resnet8-4-digits/s0/dense",
        "resnet8-4-digits/s1/dense",
        "resnet8-4-digits/s0/wt/cascade",
        "resnet8-4-digits/s0/ft/cascade",
        "resnet8-4-digits/s1/wt/cascade",
        "resnet8-4-digits/s1/ft/cascade",
    ]
    for chain in plan.chains[2:]:
        assert chain.levels[0].base == chain.parent == by_name(plan)[chain.waits_for[0]].parent


def test_a_cascade_goes_on_from_the_previous_level(tiny: Write) -> None:
    first, second = planned(tiny()).chains[2].levels
    assert second.base == first.key


def test_one_shot_starts_from_the_parent_and_shares_its_first_level_with_the_cascade(
    tiny: Write,
) -> None:
    plan = planned(tiny(schedule=["cascade", "one_shot"]))
    cascade = by_name(plan)["resnet8-4-digits/s0/wt/cascade"]
    one_shot = by_name(plan)["resnet8-4-digits/s0/wt/one_shot"]
    assert {level.base for level in one_shot.levels} == {one_shot.parent}
    assert one_shot.levels[0].key == cascade.levels[0].key
    assert one_shot.levels[1].key != cascade.levels[1].key


def test_compress_only_steps_are_part_of_a_cascade_level(tiny: Write) -> None:
    plan = planned(tiny(ratios={"ladder": [0.1, 0.3, 0.5, 0.6], "retrained": 2}))
    assert [(level.steps, level.ratio) for level in plan.chains[2].levels] == [
        ((0.1,), 0.3),
        ((0.5,), 0.6),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"store": "elsewhere"},
        {"name": "other"},
        {"resources": {"cpus": 2, "workers": 1}},
        {"tracking": {"uri": "sqlite:///other.db"}},
        {"analysis": {"deltas": [0.01, 0.02]}},
        {"tasks": {"train": ["nominal"]}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_changes_no_network_changes_no_key(tiny: Write, change: dict[str, Any]) -> None:
    assert keys(planned(tiny(**change))) == keys(planned(tiny()))


@pytest.mark.parametrize(
    ("change", "new"),
    [
        ({"seeds": [0, 1, 2]}, 1 + 2 * 2),
        ({"methods": ["wt", "ft", {"ft": {"norm": "l2"}}]}, 2 * 2),
        ({"ratios": [0.3, 0.6, 0.8]}, 2 * 2),
    ],
    ids=["seed", "method", "ratio"],
)
def test_an_extension_keeps_every_key_and_adds_its_own(
    tiny: Write, change: dict[str, Any], new: int
) -> None:
    before, after = keys(planned(tiny())), keys(planned(tiny(**change)))
    assert before < after
    assert len(after - before) == new


def test_a_new_version_of_a_method_makes_its_descendants_new_and_nothing_else(
    tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = planned(tiny())
    monkeypatch.setattr(WeightThresholding, "version", 99)
    after = planned(tiny())
    for old, new in zip(before.chains, after.chains, strict=True):
        if old.method and old.method.name == "wt":
            assert not set(old.networks) & set(new.networks)
        else:
            assert old.networks == new.networks
    assert before.task_keys == after.task_keys


@dataclass(frozen=True, kw_only=True)
class OtherPictures(Task):
    """Tests on the pictures of a folder of its own."""

    folder: str = field(default="pictures", metadata={"runtime": True})

    def replaces(self) -> Component:
        return Component("imagefolder", {"train": self.folder, "test": self.folder, "size": 8})


def picture(file: Path, shade: int) -> None:
    from PIL import Image

    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(file)


def other_pictures(folder: str = "pictures") -> dict[str, Any]:
    name = "other_pictures:OtherPictures"
    return {"train": ["nominal"], "test": [{name: {"folder": folder}}]}


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the data sets, where the task above is known and its pictures are not."""
    module = ModuleType("other_pictures")
    module.OtherPictures = OtherPictures  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "other_pictures", module)
    return tmp_path / "data"


def test_data_that_a_task_brings_are_part_of_its_key_but_not_where_they_lie(
    tiny: Write, pictures: Path
) -> None:
    for folder, shade in (("one", 1), ("same", 1), ("other", 2)):
        picture(pictures / folder / "a" / "1.png", shade)
    plans = [planned(tiny(tasks=other_pictures(name))) for name in ("one", "same", "other")]
    one, same, other = (plan.task_keys for plan in plans)
    assert one == same
    assert one[0] == other[0]
    assert one[1] != other[1]
    assert len({frozenset(keys(plan)) for plan in plans}) == 1


def test_data_that_a_task_brings_and_that_are_missing_are_told_at_its_place(
    tiny: Write, pictures: Path
) -> None:
    file = tiny(tasks=other_pictures())
    lines = file.read_text().splitlines()
    line = next(i for i, text in enumerate(lines, start=1) if "other_pictures:" in text)
    with pytest.raises(DataError) as failure:
        planned(file)
    assert str(failure.value).startswith(f"{file}:{line}:5: tasks.test[0]: ")
    assert "pictures" in str(failure.value)


def test_a_corruption_of_the_mix_enters_with_its_version(
    tiny: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parents() -> list[str]:
        plan = make_plan(load_sweep(tiny(training={"epochs": 2, "mix": ["contrast", "jpeg"]})))
        return [chain.parent for chain in plan.chains if chain.method is None]

    before = parents()
    assert parents() == before
    monkeypatch.setattr(TASKS.get("jpeg"), "version", 2)
    assert not set(parents()) & set(before)


def test_what_a_schedule_does_not_use_changes_no_key(tiny: Write) -> None:
    def keys(**training: Any) -> list[str]:
        network = {"model": "resnet8", "data": "digits", "training": {"epochs": 2, **training}}
        plan = make_plan(load_sweep(tiny(networks=[network])))
        return [key for chain in plan.chains for key in chain.networks]

    assert keys(schedule="cosine", gamma=0.5, power=2.0) == keys(schedule="cosine")
    assert keys(schedule="polynomial", power=2.0) != keys(schedule="polynomial")
