"""What a chain's images are known by in the cache."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workers.test_run import DENSE
from workers.contracts import Component, Runtime
from workers.data.parquet import Parquet
from workers.run.site import Site


def content(data: Component) -> str:
    chain = replace(DENSE, data=data)
    return Site(chain, None, Runtime(), lambda event: None).content  # type: ignore[arg-type]


def parquet(**options: str) -> Component:
    return Component("parquet", {"train": "a.parquet", "test": "b.parquet", **options})


def test_one_file_that_is_read_in_two_ways_is_two_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    day = content(parquet(image="image"))
    assert content(parquet(image="night")) != day
    assert content(parquet(image="image", train="elsewhere.parquet")) == day
    monkeypatch.setattr(Parquet, "version", 99)
    assert content(parquet(image="image")) != day
