"""A sweep of a few seconds, run by the command line, and what its store and MLflow say of it."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from orchestrator.collect import collect
from orchestrator.store import Store
from orchestrator.sweep import Sweep, open_sweep
from tests.cluster.conftest import BIN
from tests.faults.processes import MARK, kill, marked, wait_for
from workers.training.seeding import derive_seed

OTHERS = ("MLFLOW_", "PRUNESWEEP_", "RAY_")
"""Variables that would lead a sweep elsewhere begin with one of these."""

SPEC: dict[str, Any] = {
    "name": "faults",
    "networks": [
        {
            "name": "net",
            "model": {"journalled:Net": {"width": 2}},
            "data": "digits",
            "training": {"epochs": 1, "batch_size": 128, "lr": 0.1},
            "retraining": {"epochs": 1},
        }
    ],
    "seeds": [0, 1],
    "methods": ["journalled:Thresholding"],
    "ratios": [0.3, 0.5, 0.7],
    "tasks": {"train": ["nominal"], "test": [{"uniform_input_noise": {"level": 0.5}}]},
    "store": "store",
}

PLUG_INS = '''
"""A network and a method that note when one is begun: by the seed of its key, which names it."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from workers.models.resnet8 import ResNet8
from workers.pruning.methods.wt import WeightThresholding


def note(seed):
    line = f"{seed} {os.getpid()} {time.time()}\\n"
    journal = os.open(Path(__file__).with_name("journal"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(journal, line.encode())
    os.close(journal)
    with suppress(FileNotFoundError):
        Path(__file__).with_name("hang").unlink()
        while True:
            time.sleep(1)


@dataclass(frozen=True, kw_only=True)
class Net(ResNet8):
    def load_published(self, network):
        import torch

        note(torch.initial_seed())


@dataclass(frozen=True, kw_only=True)
class Thresholding(WeightThresholding):
    def scores(self, network, samples, generator):
        note(generator.initial_seed())
        return super().scores(network, samples, generator)
'''


@dataclass(frozen=True)
class Begun:
    """The beginning of a network's training or pruning: its key, the process, and when."""

    key: str
    pid: int
    at: float


class FaultySweep:
    """A sweep in a folder of its own, and its drivers."""

    def __init__(
        self,
        folder: Path,
        executor: str = "ray",
        environment: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> None:
        """Write the sweep file, with some keys changed, and its plug-ins into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.file, self.executor = folder, folder / "faults.yaml", executor
        self.file.write_text(yaml.safe_dump(SPEC | changes, sort_keys=False))
        (folder / "journalled.py").write_text(PLUG_INS)
        ours = {k: v for k, v in os.environ.items() if not k.startswith(OTHERS)}
        self.environment = {**ours, "OMP_NUM_THREADS": "1", **(environment or {})}
        self._mark, self._drivers = f"{folder}:", 0
        self.driver: subprocess.Popen[str]
        self.started = 0.0
        self.sweep: Sweep = open_sweep(self.file)
        self._keys = {str(derive_seed(key)): key for key in self.networks}

    @property
    def store(self) -> Store:
        return self.sweep.store

    @property
    def networks(self) -> list[str]:
        return [key for chain in self.sweep.plan.chains for key in chain.networks]

    def chain_of(self, key: str) -> str:
        """Return the name of the chain that makes a network."""
        return next(one.name for one in self.sweep.plan.chains if key in one.networks)

    def start(self) -> None:
        """Start a driver."""
        self._drivers += 1
        self.started = time.time()
        command = [str(BIN / "prunesweep"), "run", self.file.name]
        self.driver = subprocess.Popen(
            [*command, "--executor", self.executor, "--no-report"],
            cwd=self.folder,
            env=self.environment | {MARK: f"{self._mark}{self._drivers}:"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def end(self, seconds: float = 240) -> str:
        """Wait for the driver; returns what it has written."""
        told, _ = self.driver.communicate(timeout=seconds)
        return told

    def run(self) -> None:
        """Run a driver to its good end."""
        self.start()
        told = self.end()
        assert self.driver.returncode == 0, told

    def command(self, *words: str) -> str:
        """Run another command on the sweep."""
        done = subprocess.run(
            [str(BIN / "prunesweep"), words[0], self.file.name, *words[1:]],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def processes(self) -> dict[int, str]:
        """Return the driver and what it has started, each with the name of its program."""
        return marked(f"{self._mark}{self._drivers}:")

    def left(self) -> dict[int, str]:
        """Return what is left of all drivers so far."""
        return marked(self._mark)

    def kill(self) -> None:
        """End all drivers and what they have started."""
        kill(self._mark)

    def committed(self) -> dict[str, int]:
        """Every committed object, with the time at which its record was written."""
        entries = self.store.storage.listing("objects", recursive=True)
        records = [entry for entry in entries if entry.name == "record.json"]
        return {entry.folder.rpartition("/")[2]: entry.modified for entry in records}

    def begun(self) -> list[Begun]:
        """Every network that was begun, in order."""
        journal = self.folder / "journal"
        lines = journal.read_text().splitlines() if journal.exists() else []
        words = [line.split() for line in lines]
        return [Begun(self._keys[seed], int(pid), float(at)) for seed, pid, at in words]

    def hang_next(self) -> None:
        """Let the network that is begun next wait for ever, in Python."""
        (self.folder / "hang").touch()

    def await_begun(self, count: int) -> Begun:
        """Wait until ``count`` networks were begun; returns the last of them."""
        wait_for(lambda: len(self.begun()) >= count or self.driver.poll() is not None, "networks")
        begun = self.begun()
        assert len(begun) >= count, f"the driver ended before: {self.end()}"
        return begun[count - 1]

    def await_one_of(self, keys: Collection[str]) -> Begun:
        """Wait until one of ``keys`` was begun; returns it."""

        def found() -> list[Begun]:
            return [one for one in self.begun() if one.key in keys]

        wait_for(found, "a network")
        return found()[0]

    def repeated(self) -> Counter[str]:
        """Count how often networks were begun again, by key."""
        counts = Counter(one.key for one in self.begun())
        return Counter({key: count - 1 for key, count in counts.items() if count > 1})

    def table(self) -> pa.Table:
        """Collect all results."""
        return collect(self.sweep.plan, self.store)

    def runs(self, uri: str | None = None) -> list[tuple[str, str]]:
        """List the name and the status of every run in MLflow."""
        from mlflow import MlflowClient

        client = MlflowClient(uri or f"sqlite:///{self.folder / 'store' / 'mlflow.db'}")
        experiment = client.get_experiment_by_name(self.sweep.spec.name)
        runs = client.search_runs([experiment.experiment_id])
        return sorted((run.info.run_name, run.info.status) for run in runs)
