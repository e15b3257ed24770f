"""A sweep whose processes are killed at random times, one after the other, up to its end."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from orchestrator.store.verify import verify, worked_on
from tests.faults.processes import send, wait_for
from tests.faults.recovery import AT_ONCE
from tests.faults.sweep import FaultySweep

PROGRAMS = {"prunesweep": "driver", "ray::ImplicitFu": "worker", "raylet": "raylet"}
LONGEST = 6.0
HASTY = 0.2
"""The share of kills that do not wait until a new driver is at work."""


@dataclass
class Toll:
    """What was killed, and what it has cost in all rounds."""

    kills: Counter[str] = field(default_factory=Counter)
    drivers: int = 0
    rounds: int = 0
    networks: int = 0
    repeated: int = 0
    lost: int = 0
    late: int = 0
    duplicates: int = 0
    unfinished_runs: int = 0
    damaged: int = 0
    stuck_leases: int = 0
    left_processes: int = 0
    equal_tables: int = 0
    seconds: float = 0.0

    def harm(self) -> dict[str, int]:
        """Return what should not have happened, and how often it did."""
        counts = {
            "records lost": self.lost,
            "networks begun after they were committed": self.late,
            "networks made again beyond what was in flight": max(
                self.repeated - AT_ONCE * self.kills.total(), 0
            ),
            "MLflow runs too many": self.duplicates,
            "MLflow runs not FINISHED": self.unfinished_runs,
            "objects damaged": self.damaged,
            "leases left": self.stuck_leases,
            "processes left": self.left_processes,
            "tables not equal": self.rounds - self.equal_tables,
        }
        return {name: count for name, count in counts.items() if count}

    def summary(self) -> str:
        """Say in a few lines what was killed, and what came of it."""
        killed = ", ".join(f"{count} {name}s" for name, count in self.kills.most_common())
        harm = ", ".join(f"{name}: {count}" for name, count in self.harm().items())
        return "\n".join(
            [
                f"killed: {self.kills.total()} ({killed})",
                f"drivers started: {self.drivers}, in {self.rounds} sweeps",
                f"networks made, and made again: {self.networks}, {self.repeated}",
                f"MLflow runs too many: {self.duplicates}",
                f"tables equal: {self.equal_tables} of {self.rounds}",
                f"what should not have happened: {harm or 'nothing'}",
                f"time: {self.seconds / 60:.0f} min",
            ]
        )


def soak(folder: Path, kills: int, seed: int, **changes: object) -> Toll:
    """Kill ``kills`` random processes of a sweep; it is begun anew when it ends before that.

    Args:
        folder: an empty one.
        kills: how many.
        seed: of the choice of processes and of times.
        changes: of the sweep.

    """
    start, toll, chance = time.monotonic(), Toll(), random.Random(seed)
    undisturbed = FaultySweep(folder / "undisturbed", "local", **changes)
    undisturbed.run()
    table = undisturbed.table()
    while toll.kills.total() < kills:
        toll.rounds += 1
        sweep = FaultySweep(folder / str(toll.rounds), resources={"workers": 2}, **changes)
        try:
            _round(sweep, toll, kills, chance)
        finally:
            sweep.kill()
        _judge(sweep, toll, table)
        print(f"round {toll.rounds}: {toll}", flush=True)
    toll.seconds = time.monotonic() - start
    return toll


def _round(sweep: FaultySweep, toll: Toll, kills: int, chance: random.Random) -> None:
    seen: dict[str, int] = {}
    while True:
        toll.drivers += 1
        sweep.start()
        while toll.kills.total() < kills and _strike(sweep, toll, chance):
            committed = sweep.committed()
            toll.lost += len(seen.items() - committed.items())
            seen = committed
        last = sweep.end(1200).strip().splitlines()[-1:]
        print(f"{toll.kills.total()} kills, code {sweep.driver.returncode}", *last, flush=True)
        if sweep.driver.returncode == 0:
            break
    with suppress(AssertionError):
        wait_for(lambda: not sweep.left(), "the end of what drivers have started", 60)
    toll.left_processes += len(sweep.left())


def _strike(sweep: FaultySweep, toll: Toll, chance: random.Random) -> bool:
    """Kill something at a random time; False when the driver ended before."""
    begun, hasty = len(sweep.begun()), chance.random() < HASTY
    while not hasty and len(sweep.begun()) == begun:
        if sweep.driver.poll() is not None:
            return False
        time.sleep(0.05)
    time.sleep(chance.uniform(0, LONGEST))
    found = [(pid, name) for pid, name in sweep.processes().items() if name in PROGRAMS]
    if sweep.driver.poll() is not None or not found:
        return False
    pid, name = chance.choice(sorted(found))
    send(signal.SIGKILL, pid)
    toll.kills[PROGRAMS[name]] += 1
    return True


def _judge(sweep: FaultySweep, toll: Toll, table: pa.Table) -> None:
    committed, begun, runs = sweep.committed(), sweep.begun(), sweep.runs()
    toll.networks += len(sweep.networks)
    toll.repeated += sweep.repeated().total()
    toll.late += sum(one.at > committed[one.key] / 1e9 + 1 for one in begun)
    toll.duplicates += len(runs) - 1 - len(sweep.sweep.plan.chains)
    toll.unfinished_runs += sum(status != "FINISHED" for _, status in runs)
    toll.damaged += len(verify(sweep.store))
    toll.stuck_leases += len(worked_on(sweep.store))
    toll.equal_tables += sweep.table().equals(table)
