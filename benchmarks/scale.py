"""What a chain costs besides its work: no-op chains on this executor and on bare Ray Tune.

    python benchmarks/scale.py --chains 10000
    python benchmarks/scale.py --chains 300 --nodes 50 --gpus 8 --cpus 1 --share 0.5 --at-once 8

The second is a simulated cluster of 50 nodes with 8 GPUs each.

Both run the same number of trials that report once and end, with the same settings (reused actors,
as many at once). Reported are seconds per chain, their ratio, and the driver's memory on the way.
Each runs in a process of its own, in turns. Simulated nodes are those of Ray's minimal install,
with no log monitor and an agent that samples nothing: each takes 120 MB and hardly any CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event as Flag
from threading import Thread
from typing import Any

import ray
from ray import tune

from orchestrator.cluster.executor import RayExecutor
from orchestrator.cluster.session import DRIVER_ENVIRONMENT
from workers.contracts import Chain, Component, Event, Level, Report, TaskCell, Training

HEIRS = 9
"""Pruned chains per dense parent."""


def chain(name: str, parent: str | None = None) -> Chain:
    recipe = Training(epochs=1)
    return Chain(
        name=name,
        network="net",
        model=Component("model"),
        data=Component("data"),
        fingerprint="",
        seed=0,
        training=recipe,
        parent=f"{parent or name}-key",
        waits_for=(parent,) if parent else (),
        method=Component("wt") if parent else None,
        retraining=recipe if parent else None,
        levels=(Level(key=f"{name}-1", base="", ratio=0.5),) if parent else (),
    )


def chains(count: int) -> list[Chain]:
    parents = [f"p{number}" for number in range(count // (1 + HEIRS))]
    heirs = [chain(f"{parent}c{heir}", parent) for parent in parents for heir in range(HEIRS)]
    return [chain(parent) for parent in parents] + heirs


def no_op(one: Chain, tasks: Sequence[TaskCell], report: Report) -> None:
    """Do nothing; the executor reports its start."""


def ours(options: argparse.Namespace) -> None:
    executor = RayExecutor(trial=no_op, gpus=options.share, workers=options.at_once)
    ended = 0

    def report(event: Event) -> None:
        nonlocal ended
        ended += event.kind == "finished"

    outcome = executor.run(chains(options.chains), (), (), report)
    assert (ended, dict(outcome.failed)) == (options.chains, {})


def bare(options: argparse.Namespace) -> None:
    def trainable(config: dict[str, Any]) -> None:
        tune.report({"event": config["chain"]})

    bundle = {"CPU": 1.0, **({"GPU": options.share} if options.share else {})}
    with TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        found = tune.Tuner(
            tune.with_resources(trainable, tune.PlacementGroupFactory([bundle])),
            param_space={"chain": tune.grid_search([f"c{n}" for n in range(options.chains)])},
            tune_config=tune.TuneConfig(
                max_concurrent_trials=options.at_once,
                reuse_actors=True,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(storage_path=scratch, verbose=0),
        ).fit()
    assert len(found) == options.chains


@contextmanager
def cluster(options: argparse.Namespace) -> Iterator[None]:
    """Start Ray here: one node, or as many as are asked for, with GPUs that are not there."""
    os.environ.update(DRIVER_ENVIRONMENT)
    if options.nodes == 1:
        ray.init(
            address="local",
            num_cpus=options.cpus,
            num_gpus=options.gpus,
            include_dashboard=False,
            log_to_driver=False,
        )
        try:
            yield
        finally:
            ray.shutdown()
        return
    from ray.cluster_utils import Cluster

    light = {"include_log_monitor": False}
    head = {"num_cpus": 0, "num_gpus": 0, "include_dashboard": False, **light}
    with minimal_ray():
        nodes = Cluster(initialize_head=True, head_node_args=head)
        try:
            for _ in range(options.nodes):
                nodes.add_node(wait=False, num_cpus=options.cpus, num_gpus=options.gpus, **light)
            nodes.wait_for_nodes(timeout=900)
            ray.init(address=nodes.address, log_to_driver=False)
            os.environ["RAY_ADDRESS"] = nodes.address
            yield
        finally:
            ray.shutdown()
            nodes.shutdown()


@contextmanager
def minimal_ray() -> Iterator[None]:
    """Hide from Ray a package that its dashboard needs: its agents take it as not installed."""
    with TemporaryDirectory() as folder:
        Path(folder, "aiohttp_cors.py").write_text("raise ModuleNotFoundError\n")
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join([folder, before] if before else [folder])
        sys.path.insert(0, folder)
        yield


def resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def watched(samples: list[tuple[float, float]], seconds: float = 2.0) -> Iterator[None]:
    over, start = Flag(), time.monotonic()

    def sample() -> None:
        while not over.wait(seconds):
            samples.append((time.monotonic() - start, resident()))

    thread = Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        samples.append((time.monotonic() - start, resident()))


def measure(which: str, options: argparse.Namespace) -> None:
    samples: list[tuple[float, float]] = []
    with cluster(options):
        # The first trial starts the processes that all others reuse.
        before = time.process_time()
        with watched(samples):
            {"ours": ours, "bare": bare}[which](options)
        used = time.process_time() - before
    quarter = samples[len(samples) // 4][1]
    told = {
        "seconds": samples[-1][0],
        "driver": used,
        "quarter": quarter,
        "end": samples[-1][1],
    }
    print(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--chains", type=int, default=10_000, help="a multiple of 10")
    parser.add_argument("--nodes", type=int, default=1)
    parser.add_argument("--cpus", type=int, default=4, help="of each node, as Ray counts them")
    parser.add_argument("--gpus", type=int, default=0, help="of each node, as Ray counts them")
    parser.add_argument("--share", type=float, default=0.0, help="GPUs of a trial")
    parser.add_argument("--at-once", type=int, default=4, help="trials")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=["ours", "bare"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        measure(options.only, options)
        return
    ratios = []
    print(
        f"{'':6}{'s in all':>10}{'ms/chain':>10}{'driver s':>10}{'MB at 1/4':>11}{'MB at end':>11}"
    )
    for _ in range(options.rounds):
        took = {}
        for which in ("ours", "bare"):
            done = subprocess.run(
                [sys.executable, __file__, *sys.argv[1:], "--only", which],
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            told = json.loads(done.stdout.strip().splitlines()[-1])
            took[which] = told["seconds"]
            each = 1000 * told["seconds"] / options.chains
            print(
                f"{which:6}{told['seconds']:11.1f}{each:11.1f}{told['driver']:11.1f}"
                f"{told['quarter']:11.0f}{told['end']:11.0f}",
                flush=True,
            )
        ratios.append(took["ours"] / took["bare"])
    print(f"ratio {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


if __name__ == "__main__":
    main()
