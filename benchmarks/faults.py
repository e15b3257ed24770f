"""What happens when something dies in the middle of a sweep, and what it costs.

Every fault is a test in ``tests/faults``, which really kills; their figures make the table of
docs/faults.md. The soak kills random processes of one sweep (its driver, its workers, its raylet)
at random times, starts the driver again when it died, and compares the table at the end with
that of the undisturbed sweep.

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
COLUMNS = ("fault", "what happens", "seconds", "networks again", "duplicates", "table")
LARGER = {"seeds": [0, 1, 2, 3], "ratios": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]}


def matrix(outage: float) -> Iterator[tuple[str, ...]]:
    """Run the tests and yield a row for each fault."""
    with TemporaryDirectory() as folder:
        told = Path(folder, "told.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", str(TESTS)]
        environment = os.environ | {"PRUNESWEEP_OUTAGE": str(outage)}
        command += [f"--ignore={TESTS / 'test_soak.py'}", f"--junitxml={told}"]
        run([*command, "-o", "junit_family=xunit1"], env=environment, stdout=sys.stderr)
        for case in ElementTree.parse(told).iter("testcase"):
            rows = [p.get("value", "") for p in case.iter("property") if p.get("name") == "fault"]
            failed = case.find("failure") is not None or case.find("error") is not None
            for row in map(json.loads, rows):
                yield (
                    row["fault"],
                    row["happens"],
                    f"{row['seconds']:.1f}",
                    str(row["repeated"]),
                    str(row["duplicates"]),
                    "FAILED" if failed else "equal",
                )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--outage", type=float, default=60, help="seconds without a store")
    parser.add_argument("--no-table", action="store_true", help="the soak only")
    options = parser.parse_args()
    if not options.no_table:
        for row in (COLUMNS, ("---",) * len(COLUMNS), *matrix(options.outage)):
            print(f"| {' | '.join(row)} |", flush=True)
    if options.kills:
        with TemporaryDirectory() as folder:
            toll = soak(Path(folder), options.kills, options.seed, **LARGER)
        for name, value in vars(toll).items():
            print(f"{name}: {dict(value) if name == 'kills' else value}")


if __name__ == "__main__":
    main()
