"""Where a chain is worked on: its store, its device, and data that outlive it."""

from __future__ import annotations

import platform
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import torch

from workers.checkpoint import WEIGHTS, architecture, restore
from workers.contracts import (
    Chain,
    DataError,
    Event,
    Images,
    Report,
    Runtime,
    Samples,
    Store,
    Training,
)
from workers.pruning.bounds import DELTA, MAP_DELTA
from workers.pruning.samples import BATCH, MAP_BATCH, sample_count
from workers.pruning.size import layer_shapes
from workers.registry import DATA_SETS
from workers.run.members import members_of
from workers.training.device import resolve_device
from workers.training.loading import load_train_data
from workers.training.train_data import TrainData


@dataclass(frozen=True)
class LoadedData:
    """A data set: the train split ready for the device, the test split as stored."""

    train: TrainData
    test: Images


@dataclass(frozen=True)
class Site:
    """What the stages of one chain share; data are loaded for the first one that needs them."""

    chain: Chain
    store: Store
    runtime: Runtime
    report: Report

    @cached_property
    def device(self) -> torch.device:
        """Where networks train and are evaluated."""
        return resolve_device(self.runtime.device)

    @cached_property
    def data(self) -> LoadedData:
        """The chain's data, or what the last chain of this process left if they are the same."""
        wanted = f"{self.chain.data} {self.chain.fingerprint} {self.device} {self._held_out_in}"
        if wanted not in _WARM:
            _WARM.clear()
            _WARM[wanted] = self._load()
        return _WARM[wanted]

    @cached_property
    def made_as(self) -> dict[str, Any]:
        """How an untrained network of the chain is made."""
        train = self.data.train
        return architecture(self.chain.model, channels=train.channels, classes=len(train.classes))

    def wait(self) -> None:
        """Tell that another sweep works on what this chain needs: it does not hang."""
        self.report(Event(chain=self.chain.name, kind="waiting", total=1))

    def stored(self, key: str) -> torch.nn.Module:
        """Rebuild a committed network on the device."""
        made_as = self.store.record(key)["network"]
        return restore(made_as, self.store.read(key, WEIGHTS)).to(self.device)

    def samples(self, network: torch.nn.Module, seed: int, recipe: Training) -> Samples:
        """Draw as many held-out examples as pruning ``network`` asks for, if there are any."""
        train, chain = self.data.train, self.chain
        first = train.samples(seed, 2)
        if not first:
            return ()
        count = sample_count(
            layer_shapes(network, first[0][0][:1]).values(),
            held_out=len(train.held_out),
            batch_size=chain.training.batch_size,
            parity=chain.parity,
            delta=self.delta,
        )
        batch_size = MAP_BATCH if self._maps else BATCH
        return train.samples(seed, count, batch_size, recipe)

    def members(self, count: int) -> Images:
        """Return so many of the images that the chain's networks are fitted to."""
        return members_of(
            self.data.train,
            DATA_SETS.create(self.chain.data),
            count,
            content=self.content,
            cache=self.runtime.cache,
            threads=self.runtime.decoders,
        )

    @property
    def content(self) -> str:
        """Identify the images as they are decoded: one file can be read in several ways."""
        data_set = DATA_SETS.create(self.chain.data)
        options = {
            option.name: getattr(data_set, option.name)
            for option in fields(data_set)
            if not option.metadata.get("runtime")
        }
        return f"{self.chain.fingerprint} {type(data_set).__name__} {data_set.version} {options}"

    @property
    def delta(self) -> float:
        """The probability that the error bounds of pruning methods fail."""
        return MAP_DELTA if self._maps else DELTA

    def environment(self) -> dict[str, str]:
        """Say what may change the last bits of a number, for the record."""
        gpu = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else None
        return {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "platform": platform.platform(),
            "device": f"{self.device.type} ({gpu or platform.machine()})",
            "threads": str(torch.get_num_threads()),
            "revision": self.runtime.revision,
        }

    def _load(self) -> LoadedData:
        data_set, root = DATA_SETS.create(self.chain.data), self.runtime.data_root
        if data_set.fingerprint(root) != self.chain.fingerprint:
            raise DataError(
                f"the data of {self.chain.network} at {root} are not those that the sweep was "
                "planned with: put the same files on every machine, and plan again if they changed"
            )
        train = load_train_data(
            data_set, root, self.device, multiple=self._held_out_in, threads=self.runtime.decoders
        )
        return LoadedData(train, replace(data_set.load("test", root), classes=train.classes))

    @property
    def _maps(self) -> bool:
        return DATA_SETS.get(self.chain.data.name).labels == "map"

    @property
    def _held_out_in(self) -> int:
        """What the held-out part is a multiple of: the paper's release held out whole batches."""
        return self.chain.training.batch_size if self.chain.parity == "paper" else 1


_WARM: dict[str, LoadedData] = {}
