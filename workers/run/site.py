"""Where a chain is worked on: its store, its device, and data that outlive it."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from workers.checkpoint import WEIGHTS, architecture, restore
from workers.contracts import Chain, DataError, Images, Report, Runtime, Store
from workers.registry import DATA_SETS
from workers.training.device import resolve_device
from workers.training.device_data import DeviceData


@dataclass(frozen=True)
class LoadedData:
    """A data set in memory: the train split on the device, the test split as stored."""

    train: DeviceData
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
        wanted = f"{self.chain.data} {self.chain.fingerprint} {self.device}"
        if wanted not in _WARM:
            _WARM.clear()
            _WARM[wanted] = self._load()
        return _WARM[wanted]

    @cached_property
    def made_as(self) -> dict[str, Any]:
        """How an untrained network of the chain is made."""
        train = self.data.train
        return architecture(self.chain.model, channels=train.channels, classes=len(train.classes))

    def stored(self, key: str) -> torch.nn.Module:
        """Rebuild a committed network on the device."""
        made_as = self.store.record(key)["network"]
        return restore(made_as, self.store.read(key, WEIGHTS)).to(self.device)

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
        return LoadedData(DeviceData(data_set, root, self.device), data_set.load("test", root))


_WARM: dict[str, LoadedData] = {}
