"""What happens when something dies in the middle of a sweep, and what it costs.

Every fault is a test in ``tests/faults``, which really kills; their figures make the table of
docs/faults.md. The soak kills random processes of one sweep (its driver, its workers, its raylet)
at random times, starts the driver again when it died, and compares the table at the end with
that of the undisturbed sweep. The exit code is 1 if anything was not as it should be.

    python -m benchmarks.faults                        the table, then a soak of 50 kills
    python -m benchmarks.faults --kills 200 --seed 1   another soak
    python -m benchmarks.faults --kills 0              the table only
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from tests.faults.soak import soak

TESTS = Path(__file__).parents[1] / "tests" / "faults"
COLUMNS = ("fault", "executor", "what happened", "seconds", "again", "duplicates", "table")
LARGER = {"seeds": [0, 1, 2, 3], "ratios": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}


def matrix(outage: float) -> Iterator[tuple[str, ...]]:
    """Run the tests, more of them than CI does, and yield a row for each.

    Args:
        outage: seconds without a store.

    """
    more = {"PRUNESWEEP_OUTAGE": str(outage), "PRUNESWEEP_EXECUTORS": "local,ray"}
    with TemporaryDirectory() as folder:
        told = Path(folder, "told.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-m", "slow", str(TESTS)]
        command += [f"--ignore={TESTS / 'test_soak.py'}", f"--junitxml={told}"]
        run([*command, "-o", "junit_family=xunit1"], env=os.environ | more, stdout=sys.stderr)
        yield from map(_row, ElementTree.parse(told).iter("testcase"))


def _row(case: ElementTree.Element) -> tuple[str, ...]:
    notes = [each.get("value", "") for each in case.iter("property") if each.get("name") == "fault"]
    outcome = next((part.tag for part in case if part.tag != "properties"), "equal")
    if not notes:
        return (case.get("name", ""), *[""] * (len(COLUMNS) - 2), outcome)
    note = json.loads(notes[0])
    names = ("fault", "executor", "happens", "seconds", "repeated", "duplicates")
    cells = [f"{note[name]:.1f}" if name == "seconds" else str(note[name]) for name in names]
    return (*cells, outcome)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--outage", type=float, default=60, help="seconds without a store")
    parser.add_argument("--no-table", action="store_true", help="the soak only")
    options = parser.parse_args()
    bad = False
    if not options.no_table:
        rows = list(matrix(options.outage))
        bad = any(row[-1] in ("failure", "error") for row in rows)
        for row in (COLUMNS, ("---",) * len(COLUMNS), *rows):
            print(f"| {' | '.join(row)} |", flush=True)
    if options.kills:
        with TemporaryDirectory() as folder:
            toll = soak(Path(folder), options.kills, options.seed, **LARGER)
        print(toll.summary())
        bad = bad or bool(toll.harm())
    sys.exit(bad)


if __name__ == "__main__":
    main()
