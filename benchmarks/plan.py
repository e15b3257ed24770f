"""How long a plan of 10,000 chains takes, and how much memory: the sweep of a large study.

    python benchmarks/plan.py

100 seeds × 20 variants of a method × 5 networks, 20 levels each, 37 tasks: 200,500 networks and
7.4 million cells, through the command line as a user meets it, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

COMMAND = str(Path(sys.executable).with_name("prunesweep"))

METHOD = '''\
from dataclasses import dataclass

from workers.pruning.methods.wt import WeightThresholding


@dataclass(frozen=True, kw_only=True)
class Variant(WeightThresholding):
    """A method with an option, so that there are twenty of it."""

    power: float = 1.0
'''

SWEEP = {
    "name": "large",
    "networks": [
        {
            "model": {"resnet8": {"width": width}},
            "data": "digits",
            "training": {"epochs": 20},
            "retraining": {"epochs": 10},
        }
        for width in (4, 8, 12, 16, 20)
    ],
    "seeds": list(range(100)),
    "methods": [{"variants:Variant": {"power": [n / 10 for n in range(1, 21)]}}],
    "ratios": [{"geometric": {"from": 0.1, "to": 0.98, "count": 20}}],
    "tasks": {
        "train": ["nominal"],
        "test": [{"uniform_input_noise": {"level": [n / 20 for n in range(1, 37)]}}],
    },
}


@dataclass(frozen=True)
class Cost:
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


# A child's peak begins at the size of the process that forks it, so a small one does.
LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def measure(folder: Path, *words: str) -> Cost:
    """Run one command on the large sweep, in ``folder``."""
    (folder / "variants.py").write_text(METHOD)
    (folder / "large.yaml").write_text(json.dumps(SWEEP))  # JSON is YAML
    command = [sys.executable, "-c", LAUNCHER, COMMAND, words[0], "large.yaml", *words[1:]]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr}")
    cpu_seconds, peak = done.stderr.split()[-2:]
    scale = 1 if sys.platform == "darwin" else 1024
    return Cost(seconds, float(cpu_seconds), int(peak) * scale, done.stdout)


def main() -> None:
    for words in (("plan",), ("plan", "--no-estimate"), ("plan", "--json"), ("status",)):
        with TemporaryDirectory() as folder:
            cost = measure(Path(folder), *words)
        times = f"{cost.seconds:5.1f} s {cost.cpu_seconds:5.1f} CPU s"
        print(f"{' '.join(words):20} {times} {cost.peak_bytes / 1e6:6.0f} MB")


if __name__ == "__main__":
    main()
