"""The job that examines a cluster: ``python -P -m orchestrator.cluster.doctor [SWEEP.YAML SET…]``.

It prints one line, ``RESULT`` and JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestrator.cluster.doctor.finding import RESULT
from orchestrator.cluster.doctor.machine import versions
from orchestrator.cluster.doctor.nodes import examine_nodes
from orchestrator.cluster.doctor.subject import subject_of
from orchestrator.spec.mistakes import SweepError
from orchestrator.tracking.location import TrackingError


def main(words: list[str]) -> None:
    """Examine all nodes for the sweep file that ``words`` begin with, changed as the rest say."""
    try:
        subject = subject_of(Path(words[0]) if words else None, words[1:])
    except (SweepError, TrackingError) as error:
        _print(error=str(error))
    else:
        nodes = [asdict(node) for node in examine_nodes(subject)]
        _print(nodes=nodes, versions=versions())


def _print(**told: Any) -> None:
    print(f"\n{RESULT}{json.dumps(told)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
