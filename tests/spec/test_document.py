import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.spec.document import Node, parse
from orchestrator.spec.mistakes import SweepError


def test_scalars_are_those_of_yaml_1_2():
    text = "[1e-4, .5, 3., -7, 010, no, 0x10, 1:30, 2001-01-01, true, ~, '5', null]"
    expected = [1e-4, 0.5, 3.0, -7, 10, "no", "0x10", "1:30", "2001-01-01", True, None, "5", None]
    values = parse(text, "f").plain()
    assert values == expected
    assert [type(value) for value in values] == [type(value) for value in expected]


def test_every_value_knows_its_place():
    root = parse("a: 1\nb:\n  - x\n  - {c: 2}\n", "f.yaml")
    assert root.complain(("a",), "no") == "f.yaml:1:1: a: no"
    assert root.complain(("b", 0), "no") == "f.yaml:3:5: b[0]: no"
    assert root.complain(("b", 1, "c"), "no") == "f.yaml:4:6: b[1].c: no"


def test_a_path_that_ends_early_points_at_what_holds_it():
    root = parse("b:\n  - {c: 2}\n", "f.yaml")
    assert root.complain(("b", 0, "d", 3), "'d' is missing") == "f.yaml:2:5: b[0]: 'd' is missing"
    assert root.complain(("x",), "'x' is missing") == "f.yaml:1:1: 'x' is missing"


def test_aliases_are_expanded():
    assert parse("a: &x [1, 2]\nb: *x", "f").plain() == {"a": [1, 2], "b": [1, 2]}


def test_an_empty_document_is_nothing():
    assert parse("", "f") == Node(None, "f:1:1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "f:1:6: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\na: 2", "f:2:1: duplicate key 'a', first given at f:1:1"),
        ("x: {a: 1, a: 2}", "f:1:11: x: duplicate key 'a', first given at f:1:5"),
        ("a: 1\n---\nb: 2", "f:2:1: not valid YAML: but found another document"),
        ("a: .nan", "f:1:1: a: expected a finite number"),
        ("a: -.inf", "f:1:1: a: expected a finite number"),
        ("a: 1e999", "f:1:1: a: expected a finite number"),
        ("a: !!float x", "f:1:1: a: expected a finite number"),
        ("a: !!bool maybe", "f:1:1: a: expected true or false"),
        (f"a: {'9' * 5000}", "f:1:1: a: expected a whole number of at most 18 digits"),
        (r'a: "\uD800"', "f:1:1: a: not valid Unicode text"),
        (r'a: "\U99999999"', "f:1:1: not valid YAML: "),
        ("? [a]\n: 1", "f:1:3: a key must be a word"),
        ("a: !!set {x}", "f:1:1: a: the tag tag:yaml.org,2002:set is not allowed here"),
        ("a: b\n\0", "f:2:1: not valid YAML: unacceptable character #x0000: special characters"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text, message):
    with pytest.raises(SweepError) as failure:
        parse(text, "f")
    assert str(failure.value).startswith(message)
    assert len(str(failure.value).splitlines()) == 1


def test_all_mistakes_are_told_at_once():
    with pytest.raises(SweepError) as failure:
        parse("a: .nan\nb: .inf\n", "f")
    assert len(failure.value.lines) == 2


def test_a_long_list_of_mistakes_is_cut():
    with pytest.raises(SweepError) as failure:
        parse("\n".join(f"a{i}: .nan" for i in range(50)), "f")
    lines = str(failure.value).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "... and 30 more mistakes"


@pytest.mark.parametrize(
    "tag", ["object/apply:os.system", "object/new:os.system", "name:os.system"]
)
def test_no_tag_runs_code(tag, tmp_path):
    written = tmp_path / "written"
    with pytest.raises(SweepError, match="is not allowed here"):
        parse(f"a: !!python/{tag} ['touch {written}']", "f")
    assert not written.exists()


def test_laughs_loops_and_towers_are_refused():
    letters = "abcdefghij"
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in pairwise(letters)
    )
    for bomb in (laughs, "a: &a [*a]", "&a {b: *a}", "[" * 50 + "]" * 50):
        with pytest.raises(SweepError, match=r"^f:1:\d+: nested too deeply, or too large"):
            parse(bomb, "f")
    with pytest.raises(SweepError, match=r"^f:1:1: nested too deeply$"):
        parse("[" * 100_000, "f")


def test_a_line_stays_a_line():
    with pytest.raises(SweepError) as failure:
        parse('{"a\\n\\e[31mb": .nan}', "f")
    assert str(failure.value) == "f:1:2: a  [31mb: expected a finite number"


def outcome(text):
    try:
        return (), parse(text, "f").plain()
    except SweepError as refused:
        return refused.lines, None


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@,?~.0123456789eE \n\t\\", max_size=80) | st.text())
def test_any_text_is_read_or_refused(text):
    lines, value = outcome(text)
    assert all(re.match(r"f:\d+:\d+: ", line) for line in lines)
    assert json.dumps(value, allow_nan=False)
