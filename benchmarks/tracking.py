"""Whether MLflow keeps up with a large sweep: chains published per second as they end, one by one.

    python benchmarks/tracking.py --chains 1000
    python benchmarks/tracking.py --chains 1000 --uri http://127.0.0.1:5000

The records are made up, of ten levels and seven tasks each; MLflow, its database and its artifacts
are real. The second publish finds everything there.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from orchestrator.plan import Plan, make_plan
from orchestrator.spec.loading import load_sweep
from orchestrator.tracking.progress import Progress
from orchestrator.tracking.tracker import Tracker
from workers.contracts import Chain

SWEEP = """
name: many
networks: [{{model: {{resnet8: {{width: 2}}}}, data: digits, training: {{epochs: 1}}}}]
seeds: [{seeds}]
methods: [wt, ft, snip, sipp, pfp, thinet, uniform_weights, uniform_filters, reference]
ratios: [{{geometric: {{from: 0.1, to: 0.98, count: 10}}}}]
tasks:
  train: [nominal]
  test: [{{gaussian_noise: {{severity: [1, 2, 3]}}}}, {{fog: {{severity: [1, 2, 3]}}}}]
"""
PER_SEED = 10


class MadeUp:
    """A store in which every network of a plan is committed."""

    def __init__(self, plan: Plan) -> None:
        self._tasks = [task.label for task in plan.tasks]
        self._ratios = {level.key: level.ratio for chain in plan.chains for level in chain.levels}

    def has(self, key: str) -> bool:
        return True

    def read(self, key: str, name: str) -> bytes:
        return bytes(20_000)

    def record(self, key: str) -> Mapping[str, Any]:
        ratio = self._ratios.get(key, 0.0)
        return {
            "kind": "level" if ratio else "parent",
            "requested_ratio": ratio,
            "achieved_ratio": ratio,
            "parameters": 1000,
            "nonzero": round(1000 * (1 - ratio)),
            "loss": [2.0, 1.0],
            "seconds": 10.0,
            "created": 1_700_000_000.0 + ratio,
            "network": {"model": {"name": "resnet8", "options": {}}, "channels": 1, "classes": 10},
            "environment": {"python": "3", "device": "cpu"},
        }

    def cells_of(self, chain: Chain) -> pd.DataFrame:
        rows = [(key, task, 0.9) for key in chain.networks for task in self._tasks]
        return pd.DataFrame(rows, columns=["network_key", "task", "accuracy"])


def resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chains", type=int, default=1000, help="a multiple of 10")
    parser.add_argument("--uri", help="of an MLflow server; default: SQLite")
    options = parser.parse_args()
    with TemporaryDirectory() as scratch:
        file = Path(scratch, "many.yaml")
        seeds = ", ".join(map(str, range(options.chains // PER_SEED)))
        file.write_text(SWEEP.format(seeds=seeds))
        plan = make_plan(load_sweep(file))
        store = MadeUp(plan)
        uri = options.uri or f"sqlite:///{scratch}/mlflow.db"
        tracker = Tracker(plan, store, uri, store.cells_of)  # type: ignore[arg-type]
        tracker.publish(plan.chains[:1])
        times, memory = [], []
        for chain in plan.chains:
            start = time.perf_counter()
            tracker.publish([chain], Progress())
            times.append(time.perf_counter() - start)
            memory.append(resident())
        each = pd.Series(times)
        tenth = len(times) // 10
        print(f"{len(times):,} chains of 11 networks and 77 cells in {each.sum():.1f} s")
        print(
            f"ms per chain: {1000 * each.median():.1f} in the middle, "
            f"{1000 * each[:tenth].median():.1f} in the first tenth, "
            f"{1000 * each[-tenth:].median():.1f} in the last"
        )
        print(f"memory: {memory[len(memory) // 4]:.0f} MB at 1/4, {memory[-1]:.0f} MB at the end")
        start = time.perf_counter()
        tracker.publish()
        print(f"all of it once more, as when a run ends: {time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
        Tracker(plan, store, uri, store.cells_of).publish()  # type: ignore[arg-type]
        print(f"again by another process, nothing new: {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
