"""No name in a sweep leads out of the folders that it is written to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Write = Callable[..., Path]
WAYS_OUT = ["../out", "..", "a/b", "/abs", "a\\b", ".hidden", "a\0b", "", "a b", "~", "$HOME"]


@pytest.mark.parametrize("name", WAYS_OUT)
@pytest.mark.parametrize("what", ["sweep", "network"])
def test_a_name_is_no_path(
    prunesweep: Any, untouched: Any, tiny: Write, what: str, name: str
) -> None:
    network = {"model": "resnet8", "data": "digits", "training": {"epochs": 1}}
    changes: dict[str, Any] = {"name": name} if what == "sweep" else {}
    if what == "network":
        changes = {"networks": [{**network, "name": name}]}
    file = tiny(**changes)
    before = untouched()
    ended = prunesweep("plan", file)
    assert ended.code == 2
    assert "expected a name of letters, digits and . _ + -" in ended.err
    assert untouched() == before


@pytest.mark.slow
def test_a_run_writes_only_where_it_may(prunesweep: Any, tmp_path: Path, tiny: Write) -> None:
    """With paths among the options, which other names are made of."""
    from PIL import Image

    inner = tmp_path / "inner"
    inner.mkdir()
    for split in ("train", "test"):
        for label, shade in (("..", 0), ("b", 255)):
            folder = inner / split / f"x{label}"
            folder.mkdir(parents=True)
            for index in range(4):
                Image.new("RGB", (8, 8), (shade, index, 0)).save(folder / f"{index}.png")
    folders = {"imagefolder": {"train": "../inner/train", "test": "../inner/test", "size": 8}}
    network = {
        "model": {"resnet8": {"width": 2}},
        "data": folders,
        "training": {"epochs": 1, "batch_size": 4},
    }
    shifted = {"shifted": {"data": folders}}
    file = tiny(
        "inner/s.yaml",
        networks=[network],
        seeds=[0],
        methods=["wt"],
        ratios=[0.5],
        tasks={"test": [shifted]},
        data_root=".",
    )
    ended = prunesweep("run", file, "--executor", "local")
    assert ended.code == 0, ended.err
    outside = {path.name for path in tmp_path.iterdir()}
    assert outside == {"inner", "reports"}
    kept = {"train", "test", "s.yaml", "store", ".fingerprints"}
    assert {path.name for path in inner.iterdir()} == kept
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"tiny"}
