"""Suites: one line of a sweep file that stands for many tasks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from orchestrator.cli.catalogue import entries
from orchestrator.plan.content import described
from orchestrator.plan.keys import content_key, task_payload
from orchestrator.spec.labels import label
from orchestrator.spec.loading import load_sweep
from orchestrator.spec.mistakes import SweepError, findings
from orchestrator.spec.suites import Suites
from workers.contracts import Component
from workers.images.corruption_names import CORRUPTIONS
from workers.registry import SUITES, TASKS

FIELD = Suites(TASKS, SUITES)
NAMES = [
    "brightness", "contrast", "defocus_blur", "elastic_transform", "fog", "frost", "gaussian_blur",
    "gaussian_noise", "glass_blur", "impulse_noise", "jpeg", "motion_blur", "pixelate", "saturate",
    "shot_noise", "snow", "spatter", "speckle_noise", "zoom_blur",
]  # fmt: skip


def keys(components: list[Component]) -> list[str]:
    return [content_key(task_payload(described(TASKS, one))) for one in components]


def alone(name: str, **options: Any) -> Component:
    (component,) = FIELD.read({name: options})
    return component


def mistakes(value: Any) -> list[Any]:
    with pytest.raises(ValidationError) as failure:
        FIELD.read(value)
    return findings(failure.value)


def test_the_common_corruptions_are_the_nineteen() -> None:
    assert list(CORRUPTIONS) == NAMES
    assert [label(one) for one in FIELD.read("common_corruptions")] == [f"{n}-3" for n in NAMES]


def test_a_list_of_severities_gives_each_corruption_at_all_of_them() -> None:
    listed = FIELD.read({"common_corruptions": {"severity": [1, 2, 3, 4, 5]}})
    assert [label(one) for one in listed] == [f"{n}-{s}" for n in NAMES for s in (1, 2, 3, 4, 5)]


def test_tasks_of_a_suite_are_the_same_as_written_out() -> None:
    listed = FIELD.read({"common_corruptions": {"severity": [2, 3], "severities": "imagenet"}})
    written = [alone(n, severity=s, severities="imagenet") for n in NAMES for s in (2, 3)]
    assert listed == written
    assert keys(listed) == keys(written)
    assert len(set(keys(listed))) == 38


def test_only_and_without_choose_by_either_name() -> None:
    options = {"only": ["snow", "jpeg_compression", "fog"], "without": ["snow"]}
    assert [label(c) for c in FIELD.read({"common_corruptions": options})] == ["fog-3", "jpeg-3"]


def test_official_files_are_tasks_of_their_own() -> None:
    folder = {"cifar10_c": {"folder": "/elsewhere"}}
    listed = FIELD.read({"official_corruptions": {"data": folder, "severity": [1, 5]}})
    assert [label(one) for one in listed] == [
        f"shifted-cifar10_c-{name}-{severity}" for name in NAMES for severity in (1, 5)
    ]
    data = {"cifar10_c": {"folder": "/elsewhere", "corruption": "brightness", "severity": 1}}
    assert listed[0] == alone("shifted", data=data)


COMMON = ("common_corruptions",)
OFFICIAL = ("official_corruptions",)


@pytest.mark.parametrize(
    ("value", "path", "what"),
    [
        ("common_corruption", (), "unknown task 'common_corruption', did you mean 'common_corrupt"),
        ({COMMON[0]: {"severity": [1, 6]}}, (*COMMON, "severity", 1), "expected 1, 2, 3, 4 or 5"),
        (
            {COMMON[0]: {"onyl": []}},
            (*COMMON, "onyl"),
            "unknown option 'onyl', did you mean",
        ),
        ({COMMON[0]: {"only": "fog"}}, (*COMMON, "only"), "expected a list, found 'fog'"),
        ({COMMON[0]: {"only": ["fogg"]}}, COMMON, "unknown corruption 'fogg', did you mean 'fog'"),
        (
            {COMMON[0]: {"only": ["fog"], "without": ["fog"]}},
            COMMON,
            "only and without leave no corruption",
        ),
        ({OFFICIAL[0]: None}, OFFICIAL, "option 'data' is missing"),
        ({OFFICIAL[0]: {"data": "cifar10"}}, OFFICIAL, "data: 'cifar10' has no single corruptions"),
        ({OFFICIAL[0]: {"data": "cifar11_c"}}, OFFICIAL, "data: unknown data set 'cifar11_c'"),
        (
            {OFFICIAL[0]: {"data": {"imagenet_c": {"foldr": "x"}}, "only": ["fog"]}},
            OFFICIAL,
            "unknown option 'foldr', did you mean 'folder'?",
        ),
    ],
)
def test_mistakes_are_told_in_their_place(value: Any, path: tuple[Any, ...], what: str) -> None:
    ((found, told),) = mistakes(value)
    assert found == path
    assert told.startswith(what)


def test_a_suite_in_a_sweep_file(tiny: Callable[..., Path]) -> None:
    tasks = {"test": ["nominal", {"common_corruptions": {"severity": [1, 5]}}]}
    spec = load_sweep(tiny(tasks={"train": [{"contrast": {"severity": 3}}], **tasks}))
    labels = [task.label for task in spec.tasks]
    assert labels[:4] == ["contrast-3", "nominal", "brightness-1", "brightness-5"]
    assert len(labels) == 40
    assert {task.place.partition(": ")[2] for task in spec.tasks[2:]} == {"tasks.test[1]"}


def test_a_task_of_a_suite_that_is_there_already_is_told_in_its_place(
    tiny: Callable[..., Path],
) -> None:
    tasks = {"train": [{"fog": {"severity": 3}}], "test": ["common_corruptions"]}
    with pytest.raises(SweepError, match=r"tasks\.test\[0\]: duplicate task 'fog-3'"):
        load_sweep(tiny(tasks=tasks))


def test_another_package_s_suite_is_named_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_suites.py").write_text(
        "from dataclasses import dataclass\n"
        "from workers.contracts import Component, Suite\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Noise(Suite):\n"
        "    level: float = 0.1\n"
        "    def tasks(self):\n"
        "        names = ('gaussian_input_noise', 'uniform_input_noise')\n"
        "        return [Component(n, {'level': self.level}) for n in names if self.level < 1]\n"
        "class Broken(Suite):\n"
        "    def tasks(self):\n"
        "        return [Component('fog', {'severity': 7}), Component('fogg')]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    listed = FIELD.read({"some_suites:Noise": {"level": [0.1, 0.2, 1.0]}})
    assert [label(one) for one in listed] == [
        f"{kind}_input_noise-{level}" for kind in ("gaussian", "uniform") for level in (0.1, 0.2)
    ]
    expected = "expected 1, 2, 3, 4 or 5, found 7"
    assert mistakes("some_suites:Broken") == [(("some_suites:Broken",), expected)]


def test_suites_are_listed_after_the_tasks() -> None:
    listed = [entry["name"] for entry in entries("tasks")]
    assert listed == [*TASKS.names(), "common_corruptions", "official_corruptions"]


@pytest.mark.parametrize("name", SUITES.names())
def test_every_suite_names_tasks_alone(name: str) -> None:
    required = {"official_corruptions": {"data": "imagenet_c"}}
    tasks = SUITES.get(name)(**required.get(name, {})).tasks()
    labels = [label(alone(one.name, **one.options)) for one in tasks]
    assert len(set(labels)) == len(labels) > 0


@pytest.mark.parametrize(
    ("example", "count", "last"),
    [
        ("# suites", 114, "shifted-cifar10_c-zoom_blur-3"),
        ("# other data", 3, "shifted-imagefolder-32-sketches"),
    ],
)
def test_what_the_document_shows_is_read(
    tiny: Callable[..., Path], example: str, count: int, last: str
) -> None:
    document = Path(__file__).parents[2] / "docs" / "test_sets.md"
    blocks = re.findall(r"```yaml\n(.*?)```", document.read_text(), re.DOTALL)
    (shown,) = (block for block in blocks if block.startswith(example))
    labels = [task.label for task in load_sweep(tiny(**yaml.safe_load(shown))).tasks]
    assert (len(labels), labels[-1]) == (count, last)
