"""Chains packed into arrays come out as they went in."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cluster.packed import PackedChains
from tests.execution.conftest import make_chain


@given(st.lists(st.text(min_size=1).filter(lambda name: "\0" not in name), min_size=1, unique=True))
def test_every_chain_comes_out_by_its_name(names: list[str]) -> None:
    chains = [make_chain(name) for name in names]
    packed = PackedChains.of(chains)
    assert [packed[name] for name in names] == chains


def test_a_name_that_was_not_packed() -> None:
    packed = PackedChains.of([make_chain("b"), make_chain("d")])
    for name in ("a", "c", "e"):
        with pytest.raises(KeyError, match=name):
            packed[name]


def test_all_of_it_is_handed_on_without_a_copy() -> None:
    packed = PackedChains.of([make_chain(f"chain {number}") for number in range(1000)])
    shared: list[pickle.PickleBuffer] = []
    copied = pickle.dumps(packed, protocol=5, buffer_callback=shared.append)
    assert len(copied) < 1000
    assert len(shared) == 3
