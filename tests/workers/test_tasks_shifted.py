"""Which class of the network each class of another data set is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.plan.keys import describe
from workers.tasks.shifted import Shifted

SAME = Shifted(data="cifar10_1")
OWN = ("bird", "cat", "dog")
names = st.lists(st.text("abcde", min_size=1), min_size=1, unique=True)


def mapped(**classes: str) -> Shifted:
    return replace(SAME, classes=classes)


@given(own=names, data=st.data())
def test_by_name_each_class_is_the_one_of_that_name(own, data) -> None:
    theirs = data.draw(st.lists(st.sampled_from(own), unique=True))
    assert [own[label] for label in SAME.own_labels(theirs, own)] == theirs


@given(own=names, theirs=names, data=st.data())
def test_a_map_says_which_class_is_which_and_leaves_the_rest_out(own, theirs, data) -> None:
    pairs = st.dictionaries(st.sampled_from(theirs), st.sampled_from(own), min_size=1)
    classes = data.draw(pairs)
    labels = replace(SAME, classes=classes).own_labels(theirs, own)
    meant = [None if label is None else own[label] for label in labels]
    assert meant == [classes.get(name) for name in theirs]


@pytest.mark.parametrize(
    ("theirs", "own"), [(("0", "1"), OWN), (("0", "1"), ("0", "1", "2")), (("x", "y"), ())]
)
def test_classes_without_names_are_matched_by_number(theirs, own) -> None:
    assert list(SAME.own_labels(theirs, own)) == [0, 1]


def test_numbers_beyond_the_network_s_classes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"has 4 classes without names, expected at most .* 3;"):
        SAME.own_labels(("0", "1", "2", "3"), OWN)


def test_names_are_not_taken_for_the_numbers_of_a_network_without_names() -> None:
    with pytest.raises(ValueError, match=r"no class 'x' .*, expected one of 0, 1, 2"):
        SAME.own_labels(("x", "y"), ("0", "1", "2"))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (SAME, r"no class 'cot' \(the option 'classes' .*\), did you mean 'cat'"),
        (mapped(cat="cat"), "the data have no class 'cat', did you mean 'cot'"),
        (mapped(cot="dogg"), "the network has no class 'dogg', did you mean 'dog'"),
        (mapped(cot="x"), "no class 'x', expected one of bird, cat, dog"),
    ],
)
def test_a_name_that_is_none_is_told_with_the_nearest(task, message) -> None:
    with pytest.raises(ValueError, match=message):
        task.own_labels(("cot", "dog"), OWN)


def test_a_map_needs_names() -> None:
    with pytest.raises(ValueError, match="the names of the network's classes are not known"):
        mapped(cat="cat").own_labels(("cat",), ())
    with pytest.raises(ValueError, match="classes: expected at least one class"):
        replace(SAME, classes={})


def test_the_map_enters_the_key_and_the_name_does_not() -> None:
    described = describe("shifted", replace(SAME, classes={"a": "b"}, name="sketches"))
    assert described == {"name": "shifted", "version": 1, "classes": {"a": "b"}}
