"""What a chain's images are known by in the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workers.test_run import DENSE, NOMINAL, run, task
from workers.contracts import Component, DataError, Runtime
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


def test_a_test_set_that_does_not_fit_is_found_before_the_training(tmp_path: Path) -> None:
    for split in ("train", "test"):
        folder = tmp_path / split / "a"
        folder.mkdir(parents=True)
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(folder / "1.png")
    options = {"train": str(tmp_path / "train"), "test": str(tmp_path / "test"), "size": 16}
    foreign = task("outliers", data={"imagefolder": options})
    with pytest.raises(DataError, match="16 x 16 x 3 pixels, the network's own 8 x 8 x 1"):
        run(tmp_path, DENSE, tasks=(NOMINAL, foreign))
    assert not list(tmp_path.rglob("record.json"))
