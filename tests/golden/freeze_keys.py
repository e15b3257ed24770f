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


def keys(file: Path) -> dict[str, Any]:
    """Return every network and task key of a sweep."""
    plan = make_plan(load_sweep(file))
    return {
        "networks": {chain.name: list(chain.networks) for chain in plan.chains},
        "tasks": {task.label: task.key for task in plan.tasks},
    }


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        file = Path(folder) / "tiny.yaml"
        file.write_text(yaml.safe_dump(TINY, sort_keys=False))
        golden = json.dumps(keys(file), indent=1)
    Path(__file__).with_name("keys.json").write_text(golden + "\n")
