"""The GPUs of this machine, as its driver lists them and as torch sees them.

``python -m workers.machine`` prints them as JSON. Asked so, a driver that hangs holds nobody
up, and nothing stays on the GPUs.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from dataclasses import asdict, dataclass

MEGABYTE = 2**20


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A GPU, its memory in bytes, and the ``processes`` on it, each as ``number name``.

    In a container the driver may hide the processes, never the memory that they use.
    """

    name: str
    total: int
    used: int
    processes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Gpus:
    """What a trial could use.

    Attributes:
        driver: the version of NVIDIA's driver, empty where there is none.
        listed: the GPUs that the driver lists, whether or not this process may use them.
        cuda: the CUDA version that torch was built for, empty for the CPU build.
        usable: how many GPUs torch sees.
        hidden: whether the environment hides all GPUs.
        error: what torch says where it cannot use CUDA.

    """

    driver: str = ""
    listed: tuple[Gpu, ...] = ()
    cuda: str = ""
    usable: int = 0
    hidden: bool = False
    error: str = ""

    @classmethod
    def read(cls, text: str) -> Gpus:
        """Read the JSON that this module prints."""
        told = json.loads(text)
        listed = (Gpu(**{**gpu, "processes": tuple(gpu["processes"])}) for gpu in told["listed"])
        return cls(**{**told, "listed": tuple(listed)})


def gpus() -> Gpus:
    """Ask the driver and torch."""
    import torch

    driver, listed = _listed()
    error = ""
    if torch.version.cuda and listed:
        try:
            torch.cuda.init()  # type: ignore[no-untyped-call]
        except RuntimeError as refusal:
            error = str(refusal).partition("\n")[0]
    return Gpus(
        driver=driver,
        listed=listed,
        cuda=torch.version.cuda or "",
        usable=torch.cuda.device_count(),
        hidden=os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"),
        error=error,
    )


def _listed() -> tuple[str, tuple[Gpu, ...]]:
    """Return the driver's version and its GPUs, nothing where there is no driver."""
    rows = _query("--query-gpu=uuid,name,memory.total,memory.used,driver_version")
    processes = defaultdict(list)
    for uuid, number, name in _query("--query-compute-apps=gpu_uuid,pid,process_name"):
        processes[uuid].append(f"{number} {name}")
    found = tuple(
        Gpu(name=name, total=_bytes(total), used=_bytes(used), processes=tuple(processes[uuid]))
        for uuid, name, total, used, _ in rows
    )
    return rows[0][4] if rows else "", found


def _query(query: str) -> list[list[str]]:
    command = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return []
    return [line.split(", ") for line in done.stdout.splitlines() if line]


def _bytes(megabytes: str) -> int:
    """Read a number of MiB; some GPUs, as those that share the memory of the CPU, have none."""
    return int(megabytes) * MEGABYTE if megabytes.isdigit() else 0


if __name__ == "__main__":
    print(json.dumps(asdict(gpus())))
