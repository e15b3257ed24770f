"""Write keys.json anew: a deliberate act that makes every result stored so far count as missing.

Run from the repository's root: ``python tests/golden/freeze_keys.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from orchestrator.plan import make_plan
from orchestrator.spec.loading import load_sweep

sys.path.insert(0, str(Path(__file__).parents[1]))
from conftest import TINY

SMALL = {"seeds": [0], "methods": ["wt"]}
RETRAINING: list[Any] = [{"rewind": 0}, {"finetune": 0.01}, "scratch"]
CHANGES: list[dict[str, Any]] = [
    {},
    {
        **SMALL,
        "schedule": [{order: how} for order in ("cascade", "one_shot") for how in RETRAINING],
    },
    {**SMALL, "parity": "latest"},
]


def keys(file: Path) -> dict[str, Any]:
    """Return every network, checkpoint and task key of a sweep."""
    plan = make_plan(load_sweep(file))
    return {
        "networks": {chain.name: list(chain.networks) for chain in plan.chains},
        "checkpoints": {one.key: one.epoch for chain in plan.chains for one in chain.checkpoints},
        "tasks": {task.label: task.key for task in plan.tasks},
    }


if __name__ == "__main__":
    frozen = []
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tiny.yaml"
        for changes in CHANGES:
            file.write_text(yaml.safe_dump(TINY | changes, sort_keys=False))
            frozen.append({"changes": changes, **keys(file)})
    Path(__file__).with_name("keys.json").write_text(json.dumps(frozen, indent=1) + "\n")
