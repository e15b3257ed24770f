"""A thousand damaged sweep files: each is planned, or refused with the place of what is wrong."""

from __future__ import annotations

import random
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import TINY
from tests.security.mutations import OWN, mutated

NET = """
from torch import nn


def net(*, channels: int, classes: int, width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * channels, width), nn.Linear(width, classes))
"""
SECONDS = 3.0
PLACE = re.compile(r"[^:]+:\d+:\d+: .")


@pytest.fixture
def folder(tmp_path: Path, prunesweep: Any) -> Path:
    """A user's folder, with a network that the sweeps name and a module that they do not."""
    (tmp_path / "mynet.py").write_text(NET)
    (tmp_path / "canary.py").write_text("open('canary-sings', 'w').close()")
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(OWN))
    # What plug-ins import is imported now, so that what is left is what a damaged file brings.
    assert prunesweep("plan", "sweep.yaml", "--no-estimate").code == 0
    return tmp_path


@pytest.mark.parametrize(
    "start", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in range(50, 1000, 50))]
)
def test_damaged_files(
    folder: Path, prunesweep: Any, untouched: Callable[[], Any], start: int
) -> None:
    corpus = [yaml.safe_dump(text, sort_keys=False) for text in (OWN, TINY, OWN)]
    file = folder / "sweep.yaml"
    codes = []
    for seed in range(start, start + 50):
        chance = random.Random(seed)
        file.write_bytes(mutated(chance.choice(corpus), chance))
        before, modules, begun = untouched(), _tops(), time.process_time()
        ended = prunesweep("plan", "sweep.yaml", "--no-estimate")
        seconds = time.process_time() - begun
        told = [line for line in ended.err.splitlines() if not line.startswith("this sweep runs")]
        where = f"seed {seed}: {ended.code} {ended.err}"
        assert ended.code in (0, 2), where
        assert all(PLACE.match(line) or line.startswith("... and ") for line in told), where
        assert bool(told) == (ended.code == 2), where
        assert "Traceback" not in ended.err + ended.out, where
        assert seconds < SECONDS, f"{seconds} s, {where}"
        assert untouched() == before, where
        assert _tops() == modules, where
        codes.append(ended.code)
    assert {0, 2} <= set(codes)


def _tops() -> set[str]:
    return {name.partition(".")[0] for name in sys.modules if name not in sys.stdlib_module_names}
