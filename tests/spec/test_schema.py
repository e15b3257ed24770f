from copy import deepcopy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from orchestrator.spec.document import parse
from orchestrator.spec.schema import json_schema
from orchestrator.spec.sweep_file import SweepFile

SWEEPS = Path(__file__).parents[2] / "sweeps"
VALIDATOR = Draft202012Validator(json_schema())


def digits():
    return parse((SWEEPS / "digits.yaml").read_text(), "digits.yaml").plain()


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", sorted(SWEEPS.glob("**/*.yaml")), ids=lambda path: path.stem)
def test_every_sweep_of_the_repository_is_valid(path):
    mistakes = VALIDATOR.iter_errors(parse(path.read_text(), path.name).plain())
    assert [mistake.message for mistake in mistakes] == []


def test_a_file_that_extends_another_may_leave_out_anything():
    assert VALIDATOR.is_valid({"extends": "digits.yaml", "seeds": [7]})
    assert not VALIDATOR.is_valid({"seeds": [7]})


@pytest.mark.parametrize(
    ("keys", "value", "valid"),
    [
        (("seeds",), [0, -1], False),
        (("seeds",), [], False),
        (("seed",), [0], False),
        (("schedule",), "cascad", False),
        (("schedule",), ["cascade", "one_shot"], True),
        (("schedule",), {"cascade": "scratch"}, True),
        (("schedule",), {"one_shot": {"rewind": 0}}, True),
        (("schedule",), ["cascade", {"cascade": {"finetune": 0.01}}], True),
        (("schedule",), {"cascad": "scratch"}, False),
        (("schedule",), {"cascade": "scrach"}, False),
        (("schedule",), {"cascade": {"rewind": -1}}, False),
        (("schedule",), {"cascade": {"rewind": 0.5}}, False),
        (("schedule",), {"cascade": {"finetune": 0}}, False),
        (("schedule",), {"cascade": {"rewind": 1, "finetune": 1}}, False),
        (("schedule",), {"cascade": {}}, False),
        (("schedule",), {"cascade": "scratch", "one_shot": "scratch"}, False),
        (("parity",), "latest", True),
        (("parity",), "newest", False),
        (("methods",), ["wtt"], False),
        (("methods",), [{"wt": None}, "my.package:Method"], True),
        (("methods",), [{"wt": {}, "ft": {}}], False),
        (("networks", 0, "model"), "resnet9", False),
        (("networks", 0, "training", "epocs"), 3, False),
        (("networks", 0, "training", "lr"), 0, False),
        (("ratios",), [0.5, 1.0], False),
        (("ratios",), {"ladder": [0.5, 0.9], "retrained": 1}, True),
        (("ratios",), [{"geometric": {"from": 0.1, "to": 0.9}}], False),
        (("resources", "device"), "cuda:1", True),
        (("resources", "device"), "gpu", False),
        (("tasks", "tset"), ["nominal"], False),
    ],
)
def test_editors_see_mistakes(keys, value, valid):
    sweep = deepcopy(digits())
    at = sweep
    for key in keys[:-1]:
        at = at[key]
    at[keys[-1]] = value
    assert VALIDATOR.is_valid(sweep) is valid


def test_every_key_is_described():
    schema = json_schema()
    for section in (schema, *schema["$defs"].values()):
        for key, value in section.get("properties", {}).items():
            assert value.get("description"), f"{section['title']}.{key}"
    assert set(schema["properties"]) == set(SweepFile.model_fields)
