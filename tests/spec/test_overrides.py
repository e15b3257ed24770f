import pytest

from orchestrator.spec.document import parse
from orchestrator.spec.mistakes import SweepError
from orchestrator.spec.overrides import merge, override

BASE = "a: 1\nlist: [{x: 1}, {x: 2}]\ndeep: {b: 2, c: {d: 3}}\n"


def changed(assignment):
    return override(parse(BASE, "f"), assignment).plain()


def test_mappings_merge_and_the_rest_replaces():
    base, top = parse(BASE, "base"), parse("list: [5]\ndeep: {c: {e: 4}, b: [1]}\nnew: 0", "top")
    merged = merge(base, top)
    assert merged.plain() == {
        "a": 1,
        "list": [5],
        "deep": {"b": [1], "c": {"d": 3, "e": 4}},
        "new": 0,
    }
    assert merged.complain(("deep", "c", "d"), "") == "base:3:18: deep.c.d"
    assert merged.complain(("deep", "c", "e"), "") == "top:2:12: deep.c.e"


@pytest.mark.parametrize("key", ["list.1.x", "list[1].x"])
def test_a_key_goes_through_lists(key):
    assert changed(f"{key}=7")["list"] == [{"x": 1}, {"x": 7}]


@pytest.mark.parametrize(
    ("assignment", "key", "value"),
    [
        ("a=[0, 1]", "a", [0, 1]),
        ("a=1e-3", "a", 1e-3),
        ("a=x=y", "a", "x=y"),
        ("a=", "a", None),
        ("new.key={y: 1}", "new", {"key": {"y": 1}}),
        ("deep.c.d=true", "deep", {"b": 2, "c": {"d": True}}),
    ],
)
def test_values_are_yaml(assignment, key, value):
    assert changed(assignment)[key] == value


@pytest.mark.parametrize(
    ("assignment", "what"),
    [
        ("a", "expected key.path=value"),
        ("=1", "expected key.path=value"),
        (f"{'a.' * 5000}b=1", "expected key.path=value"),
        ("list.2.x=1", "expected an index below 2, found '2'"),
        (f"list.{'9' * 5000}=1", "expected an index below 2"),
        ("list.x=1", "expected an index below 2, found 'x'"),
        ("a.b=1", "'b' leads nowhere, expected the key of a mapping or the index of a list"),
        ("a=[", "not valid YAML: expected the node content, but found '<stream end>'"),
        ("a=.nan", "expected a finite number"),
        ("extends=[]", "'extends' cannot be overridden"),
    ],
)
def test_an_override_that_cannot_be_is_refused(assignment, what):
    with pytest.raises(SweepError) as failure:
        changed(assignment)
    message = str(failure.value)
    assert message.startswith(f"--set {assignment[:77]}")
    assert what in message
    assert len(message.splitlines()) == 1
