"""A sweep small enough to run in a few seconds, shared by many tests."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

# A shell that starts a job in the background has it ignore SIGINT, and its children with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no reason to fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

TINY: dict[str, Any] = {
    "name": "tiny",
    "networks": [
        {
            "model": {"resnet8": {"width": 4}},
            "data": "digits",
            "training": {"epochs": 2, "batch_size": 128, "lr": 0.1, "schedule": "cosine"},
            "retraining": {"epochs": 1},
        }
    ],
    "seeds": [0, 1],
    "methods": ["wt", "ft"],
    "ratios": [0.3, 0.6],
    "tasks": {
        "train": ["nominal"],
        "test": [{"uniform_input_noise": {"level": 0.5}}, {"contrast": {"severity": 3}}],
    },
    "analysis": {"resamples": 100},
    "store": "store",
    "data_root": "data",
}


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny sweep, with some keys changed, and return its file."""

    def write(filename: str = "tiny.yaml", **changes: Any) -> Path:
        file = tmp_path / filename
        file.write_text(yaml.safe_dump(TINY | changes, sort_keys=False))
        return file

    return write
