from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import pytest
from pydantic import ValidationError

from orchestrator.spec.loading import load_sweep
from orchestrator.spec.mistakes import findings
from orchestrator.spec.recipe import RecipeSection, combine, faults
from workers.contracts import Task, Training
from workers.registry import TASKS


def test_a_recipe_has_the_fields_defaults_and_choices_of_the_contract():
    assert list(RecipeSection.model_fields) == [field.name for field in fields(Training)]
    section = RecipeSection()
    for field in fields(Training):
        if field.name != "epochs":
            assert getattr(section, field.name) == field.default
    contract = get_type_hints(Training)
    for name in ("schedule", "precision", "mix_severities"):
        assert RecipeSection.model_fields[name].annotation == contract[name]
    validated = RecipeSection.model_validate(EVERYTHING)
    assert Training(**validated.given()) == Training(**(EVERYTHING | SEQUENCES))


EVERYTHING = {
    "epochs": 9,
    "batch_size": 2,
    "lr": 1.0,
    "momentum": 0.5,
    "nesterov": True,
    "weight_decay": 0.0,
    "schedule": "step",
    "milestones": [1.0],
    "period": 3.5,
    "gamma": 0.5,
    "power": 1.0,
    "warmup": 1.0,
    "crop": 4,
    "flip": True,
    "precision": "fp16",
    "mix": ["contrast", "shot_noise"],
    "mix_severities": "cifar",
}
SEQUENCES = {"milestones": (1.0,), "mix": ("contrast", "shot_noise")}


def test_given_fields_lie_over_each_other_and_defaults_do_not():
    below = RecipeSection(epochs=20, lr=0.5, nesterov=True)
    above = RecipeSection(epochs=10, milestones=(3, 5))
    assert combine(below, above) == {
        "epochs": 10,
        "lr": 0.5,
        "nesterov": True,
        "milestones": (3.0, 5.0),
    }
    assert combine(RecipeSection(), RecipeSection()) == {}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"epochs": 0}, "expected a number of at least 1, found 0"),
        ({"epochs": 1.5}, "expected a whole number, found 1.5"),
        ({"batch_size": 0}, "expected a number of at least 1, found 0"),
        ({"lr": 0}, "expected a number above 0, found 0"),
        ({"lr": "fast"}, "expected a number, found 'fast'"),
        ({"momentum": 1}, "expected a number below 1, found 1"),
        ({"weight_decay": -1e-4}, "expected a number of at least 0, found -0.0001"),
        ({"flip": "yes"}, "expected true or false, found 'yes'"),
        ({"gamma": 2}, "expected a number of at most 1, found 2"),
        ({"milestones": 5}, "expected a list, found 5"),
        ({"milestones": [0]}, "expected a number above 0, found 0"),
        ({"precision": "fp8"}, "expected 'fp32', 'bf16' or 'fp16', found 'fp8'"),
        ({"schedule": "steps"}, "expected 'constant', 'multi_step', 'step', 'cosine' or 'poly"),
        ({"period": 0}, "expected a number above 0, found 0"),
        ({"mix": "contrast"}, "expected a list, found 'contrast'"),
        ({"mix": ["contarst"]}, "unknown corruption 'contarst', did you mean 'contrast'?"),
        ({"mix": ["gaussian_input_noise"]}, "unknown corruption 'gaussian_input_noise', did you"),
        ({"mix": ["nominal"]}, "unknown corruption 'nominal', expected one of "),
        ({"mix": ["no.module:Blur"]}, "unknown corruption 'no.module:Blur'"),
        ({"mix_severities": "mnist"}, "expected 'cifar' or 'imagenet', found 'mnist'"),
        ({"learning_rate": 1}, "unknown key 'learning_rate', expected one of batch_size, crop"),
    ],
)
def test_single_fields_are_checked(given, what):
    with pytest.raises(ValidationError) as failure:
        RecipeSection.model_validate(given)
    ((_, told),) = findings(failure.value)
    assert told.startswith(what)


def test_an_unknown_corruption_is_told_where_it_stands():
    with pytest.raises(ValidationError) as failure:
        RecipeSection.model_validate({"mix": ["contrast", "pixelat", "jpeg"]})
    assert findings(failure.value) == [
        (("mix", 1), "unknown corruption 'pixelat', did you mean 'pixelate'?")
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"epochs": 182, "milestones": (91, 136), "warmup": 5}, []),
        ({"lr": 0.1}, [("epochs", "'epochs' is missing from the recipe of training")]),
        (
            {"epochs": 9, "milestones": (5, 5)},
            [("milestones", "expected ascending milestones, found 5 after 5")],
        ),
        (
            {"epochs": 9, "milestones": (5, 9)},
            [("milestones", "milestone 9 is not within the 9 epochs of training")],
        ),
        (
            {"epochs": 3, "warmup": 3.5},
            [("warmup", "warmup of 3.5 exceeds the 3 epochs of training")],
        ),
        (
            {"epochs": 30, "schedule": "step"},
            [("period", "period of 30 is not within the 30 epochs of training")],
        ),
        ({"epochs": 31, "schedule": "step"}, []),
        ({"epochs": 3, "schedule": "cosine"}, []),
        ({"epochs": 3, "mix": ("contrast",)}, []),
        (
            {"epochs": 3, "mix": ("contrast", "contrast")},
            [("mix", "duplicate corruption 'contrast'")],
        ),
        (
            {"epochs": 3, "nesterov": True, "momentum": 0.0},
            [("nesterov", "nesterov needs a momentum above 0")],
        ),
    ],
)
def test_fields_must_fit_together(given, expected):
    assert list(faults(given, "training")) == expected


@dataclass(frozen=True, kw_only=True)
class Smear(Task):
    """Knows one table of severities."""

    corrupts: ClassVar[bool] = True
    severity: int = 1


def test_a_corruption_must_know_the_table_of_severities(monkeypatch):
    monkeypatch.setattr(TASKS, "get", lambda name: Smear)
    assert list(faults({"epochs": 3, "mix": ("smear",), "mix_severities": "cifar"}, "it")) == []
    assert list(faults({"epochs": 3, "mix": ("smear",)}, "it")) == [
        ("mix", "'smear' has no imagenet severities, give 'mix_severities: cifar'")
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"training": {"epochs": 4, "schedule": "cosine", "milestones": [9]}},
        {
            "training": {"epochs": 4, "milestones": [2], "warmup": 2},
            "retraining": {"epochs": 1},
            "schedule": {"cascade": {"finetune": 0.01}},
        },
    ],
)
def test_what_a_schedule_does_not_use_is_no_mistake(
    tiny: Callable[..., Path], changes: dict[str, Any]
) -> None:
    assert load_sweep(tiny(**changes)).networks
