from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.compose.document import interpolated, load

SET = {"FULL": "x", "EMPTY": ""}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a $FULL b", "a x b"),
        ("${FULL}${FULL}", "xx"),
        ("$$FULL $${FULL:+y}", "$FULL ${FULL:+y}"),
        ("${FULL:-y} ${EMPTY:-y} ${NONE:-y}", "x y y"),
        ("${FULL-y}|${EMPTY-y}|${NONE-y}", "x||y"),
        ("${FULL:+y}|${EMPTY:+y}|${NONE:+y}", "y||"),
        ("${EMPTY+y}|${NONE+y}", "y|"),
        ("${FULL:?must be}", "x"),
        ("${NONE:-http://s3:9000}", "http://s3:9000"),
    ],
)
def test_variables(written: str, meant: str) -> None:
    assert interpolated({"k": [written]}, SET) == {"k": [meant]}


@pytest.mark.parametrize("written", ["$NONE", "${NONE}", "${EMPTY:?must be}", "${NONE?must be}"])
def test_a_variable_that_must_be_set(written: str) -> None:
    with pytest.raises(KeyError):
        interpolated(written, SET)


def test_one_file_over_another(tmp_path: Path) -> None:
    below, above = tmp_path / "below.yaml", tmp_path / "above.yaml"
    below.write_text(
        "s: {command: [a, b], ports: [1], environment: {A: 1, B: 2}, deploy: {x: 1}, v: [1], w: 1}"
    )
    above.write_text(
        "s: {command: [c], ports: [2, 1], environment: {B: 3}, deploy: !reset null,"
        " v: !override [2], w: !reset {}}"
    )
    assert load([below, above], {}) == {
        "s": {"command": ["c"], "ports": [1, 2], "environment": {"A": 1, "B": 3}, "v": [2]}
    }
