"""From the device that a user names to the device of torch."""

from __future__ import annotations

import torch

from workers.contracts import PermanentError


class DeviceError(PermanentError):
    """A device that this machine does not have."""


def resolve_device(name: str) -> torch.device:
    """Resolve "auto" (CUDA where there is any, else the CPU), "cpu", "cuda" or "cuda:<index>".

    Raises:
        DeviceError: there is no such device.

    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    known = ["cpu", "cuda", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    available = known if torch.cuda.is_available() else ["cpu"]
    if name not in available:
        raise DeviceError(f"no device '{name}' here, expected one of auto, {', '.join(available)}")
    return torch.device(name)
