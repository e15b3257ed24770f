import sys
from itertools import count

import pytest
from pydantic import ValidationError

from orchestrator.spec.components import component_schema, read, repeated
from orchestrator.spec.mistakes import findings
from workers.contracts import Component
from workers.registry import DATA_SETS, METHODS, MODELS, TASKS

PLUG_INS = """
from dataclasses import dataclass
from typing import Literal
from workers.contracts import DataSet, Method, Model, Task

@dataclass(frozen=True, kw_only=True)
class Cut(Method):
    norm: Literal["l1", "l2"] = "l1"
    depth: int = 3
    damping: float = 0.0

@dataclass(frozen=True, kw_only=True)
class Blur(Task):
    radius: float
    kernels: tuple[int, ...] = (3,)

    def __post_init__(self):
        if self.radius <= 0:
            raise ValueError(f"expected a radius above 0, found {self.radius:g}")

@dataclass(frozen=True, kw_only=True)
class Shelf(DataSet):
    train: str | tuple[str, ...]

def net(*, channels, classes, widths=(8, 16), depth: int = 2):
    return None

class Broken(Method):
    norm: "Nowhere" = 1

answer = 42
"""
numbers = count()


@pytest.fixture
def module(tmp_path, monkeypatch):
    name = f"sample_plug_ins_{next(numbers)}"
    (tmp_path / f"{name}.py").write_text(PLUG_INS)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def mistakes(registry, value, *, expand=True):
    with pytest.raises(ValidationError) as failure:
        read(registry, value, expand=expand)
    return findings(failure.value)


def test_a_name_alone_and_a_name_with_options(module):
    cut = f"{module}:Cut"
    assert read(METHODS, cut, expand=True) == [Component(cut)]
    assert read(METHODS, {cut: None}, expand=True) == [Component(cut)]
    assert read(METHODS, {cut: {"depth": 3}}, expand=True) == [Component(cut, {"depth": 3})]


def test_options_keep_to_what_is_given_in_the_type_of_the_field(module):
    (component,) = read(METHODS, {f"{module}:Cut": {"damping": 1}}, expand=True)
    assert component.options == {"damping": 1.0}
    assert isinstance(component.options["damping"], float)


def test_lists_for_scalar_options_expand_and_the_last_varies_fastest(module):
    cut = {"norm": ["l1", "l2"], "depth": [1, 2], "damping": 0.5}
    assert [c.options for c in read(METHODS, {f"{module}:Cut": cut}, expand=True)] == [
        {"norm": norm, "depth": depth, "damping": 0.5} for norm in ("l1", "l2") for depth in (1, 2)
    ]


def test_a_list_for_a_list_option_stays_one(module):
    blur = {"radius": [1, 2], "kernels": [3, 5]}
    assert [c.options for c in read(TASKS, {f"{module}:Blur": blur}, expand=True)] == [
        {"radius": 1.0, "kernels": (3, 5)},
        {"radius": 2.0, "kernels": (3, 5)},
    ]
    (shelf,) = read(DATA_SETS, {f"{module}:Shelf": {"train": ["a", "b"]}}, expand=False)
    assert shelf.options == {"train": ("a", "b")}
    (net,) = read(MODELS, {f"{module}:net": {"widths": [4, 4]}}, expand=False)
    assert net.options == {"widths": [4, 4]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"nrm": "l1"}, [(("nrm",), "unknown option 'nrm', did you mean 'norm'?")]),
        ({"x": 1}, [(("x",), "unknown option 'x', expected one of damping, depth, norm")]),
        ({"norm": "l3"}, [(("norm",), "expected 'l1' or 'l2', found 'l3'")]),
        ({"norm": ["l1", 2]}, [(("norm", 1), "expected 'l1' or 'l2', found 2")]),
        ({"norm": []}, [(("norm",), "expected at least one value")]),
        ({"depth": 2.5}, [(("depth",), "expected a whole number, found 2.5")]),
        ({"depth": True}, [(("depth",), "expected a whole number, found true")]),
        (
            {"depth": "3", "damping": None},
            [
                (("depth",), "expected a whole number, found '3'"),
                (("damping",), "expected a number, found nothing"),
            ],
        ),
        (
            {"depth": list(range(40)), "damping": [i / 10 for i in range(40)]},
            [((), "expands to more than 1000 variants")],
        ),
    ],
)
def test_options_are_checked_against_the_plug_in(module, options, expected):
    name = f"{module}:Cut"
    assert mistakes(METHODS, {name: options}) == [((name, *at), what) for at, what in expected]


def test_an_option_without_a_default_must_be_given(module):
    assert mistakes(TASKS, f"{module}:Blur") == [((), "option 'radius' is missing")]


def test_a_plug_in_has_the_last_word(module):
    blur = f"{module}:Blur"
    expected = "expected a radius above 0, found -1"
    assert mistakes(TASKS, {blur: {"radius": [1, -1]}}) == [((blur,), expected)]


@pytest.mark.parametrize("value", [None, 3, [], ["wt"], {}, {"wt": {}, "ft": {}}, {"ft": ["l1"]}])
def test_what_is_no_component_is_refused(value):
    ((path, what),) = mistakes(METHODS, value)
    assert path == ()
    assert what.startswith(
        "expected a method: a name, or one name with a mapping of options, found"
    )


@pytest.mark.parametrize(
    ("registry", "name", "what"),
    [
        (METHODS, "wtt", "unknown method 'wtt', did you mean 'wt'?"),
        (TASKS, "nominall", "unknown task 'nominall', did you mean 'nominal'?"),
        (DATA_SETS, "digit", "unknown data set 'digit', did you mean 'digits'?"),
        (MODELS, "resnet9", "unknown model 'resnet9', did you mean 'resnet8'?"),
        (METHODS, "no_such:x", "cannot import method 'no_such:x': No module named 'no_such'"),
        (METHODS, ":", "cannot load method ':': ValueError: Empty module name"),
        (METHODS, "{}:answer", "'{}:answer' is no Method"),
        (METHODS, "{}:Blur", "'{}:Blur' is no Method"),
        (METHODS, "{}:Broken", "cannot load method '{}:Broken': NameError: name 'Nowhere' is not"),
    ],
)
def test_names_that_no_plug_in_has(module, registry, name, what):
    ((path, told),) = mistakes(registry, name.format(module))
    assert path == ()
    assert told.startswith(what.format(module, module))


def test_repeated_labels_are_found():
    elements = [[Component("wt")], [Component("ft"), Component("ft", {"norm": "l2"})]]
    assert list(repeated("method", elements)) == []
    elements.append([Component("ft", {"norm": "l2"}), Component("wt")])
    elements.append([Component("wt")])
    assert list(repeated("method", elements)) == [
        (2, "duplicate method 'ft-l2' and 1 more"),
        (3, "duplicate method 'wt'"),
    ]


def test_the_schema_lists_what_is_registered():
    names, _, mapping = component_schema(METHODS)["anyOf"]
    assert {"wt", "ft"} <= set(names["enum"]) == set(mapping["properties"])
