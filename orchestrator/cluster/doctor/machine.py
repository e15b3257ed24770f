"""What a machine is: its versions, CPUs, GPUs and room."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from orchestrator.cluster.doctor.finding import Finding, Level
from orchestrator.cluster.doctor.places import existing
from workers.machine import Gpus

PACKAGES = ("prunesweep", "ray", "torch", "mlflow")
GIGABYTE = 10**9
GPU_SECONDS = 60
BUSY_SHARE = 0.1
"""Of a GPU's memory; less is what a desktop or the driver takes."""

Usage = Callable[[Path], tuple[int, int, int]]
"""Total, used and free bytes where a path lies."""


def versions() -> dict[str, str]:
    """Tell the versions that decide whether machines fit together; an absent package has none."""
    found = {"Python": platform.python_version()}
    return found | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def check_versions() -> Iterator[Finding]:
    """Compare what is installed with what prunesweep requires."""
    needed = [Requirement(text) for text in requires("prunesweep") or ()]
    for one in needed:
        if one.marker and not one.marker.evaluate({"extra": ""}):
            continue
        found = _version(one.name)
        if not one.specifier.contains(found if found != "none" else "0", prereleases=True):
            wrong = f"{one.name} {found}, expected {one.specifier}"
            yield Finding("versions", "fail", wrong, "install prunesweep again, from its lock file")
    told = ", ".join(f"{name} {number}" for name, number in versions().items())
    yield Finding("versions", "ok", told)


def compare_versions(
    here: Mapping[str, str], there: Mapping[str, str], other: str, strict: bool
) -> Iterator[Finding]:
    """Compare the versions of a machine with those of the ``other``.

    Where ``strict``, both work on one sweep: then prunesweep must be the same.
    """
    for name, own in here.items():
        if own == there[name] or (name == "Python" and _minor(own) == _minor(there[name])):
            continue
        level: Level = "fail" if strict and name != "mlflow" and name != "torch" else "warn"
        yield Finding(
            "versions", level, f"{name} {own}, on {other} {there[name]}", "use one image for both"
        )


def _minor(number: str) -> str:
    return number.rpartition(".")[0]


def check_cpus(wanted: int) -> Finding:
    """Count the CPUs that this process may use; a chain wants some."""
    count = usable_cpus()
    found = f"{count}, load {os.getloadavg()[0]:.1f}"
    if wanted > count:
        advice = f"a chain is given {wanted}: --set resources.cpus={count}"
        return Finding("cpus", "fail", found, advice)
    return Finding("cpus", "ok", found)


def usable_cpus(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Count the CPUs that this process may use, as its affinity and its container allow."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    allowed, _, period = quota.read_text().partition(" ") if quota.exists() else ("max", "", "")
    if allowed == "max":
        return count or 1
    return max(1, min(count or 1, int(allowed) // int(period)))


def ask_gpus() -> Gpus | Finding:
    """Look at the GPUs from another process, or say why that failed."""
    command = [sys.executable, "-P", "-m", "workers.machine"]  # not a folder here of that name
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=GPU_SECONDS
        )
        return Gpus.read(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        found = f"no answer from torch or the driver within {GPU_SECONDS} s"
        return Finding("gpus", "fail", found, "look at nvidia-smi and dmesg, restart the machine")
    except subprocess.CalledProcessError as error:
        cause = (error.stderr.strip().splitlines() or ["no message"])[-1]
        return Finding("gpus", "fail", cause, "torch cannot be used: install prunesweep again")


def check_gpus(seen: Gpus, wanted: float, *, ours: bool = False) -> Iterator[Finding]:
    """Judge what was seen; a chain wants some. ``ours`` says that trials run on them now."""
    told = ", ".join(f"{gpu.name} {_size(gpu.total)}" for gpu in seen.listed)
    about = f"{seen.usable} usable, driver {seen.driver}, torch for CUDA {seen.cuda or 'none'}"
    found = f"{told}; {about}" if seen.listed else f"{seen.usable or 'none'}"
    if seen.listed and not seen.usable and not seen.hidden:
        advice = (
            f"install a driver that suits ({seen.error})" if seen.cuda else "install torch for CUDA"
        )
        yield Finding("gpus", "fail", found, advice)
    elif wanted and not seen.usable:
        hidden = "unset CUDA_VISIBLE_DEVICES" if seen.hidden and seen.listed else "none is here"
        advice = f"a chain is given {wanted:g} ({hidden}): --set resources.gpus=0 to use CPUs"
        yield Finding("gpus", "fail", found, advice)
    else:
        yield Finding("gpus", "ok", found)
    yield from () if ours else _busy(seen)


def _busy(seen: Gpus) -> Iterator[Finding]:
    for number, gpu in enumerate(seen.listed):
        if gpu.used > BUSY_SHARE * gpu.total:
            by = ", ".join(gpu.processes) or "a process that is not told"
            found = f"GPU {number}: {_size(gpu.used)} of {_size(gpu.total)} in use by {by}"
            yield Finding(
                "gpus", "warn", found, "end it, or choose other GPUs by CUDA_VISIBLE_DEVICES"
            )


def check_disk(places: Iterable[Path], usage: Usage = shutil.disk_usage) -> Iterator[Finding]:
    """Look how much room there is at ``places``, which need not exist yet."""
    for place in dict.fromkeys(map(existing, places)):
        free = usage(place)[2]
        found = f"{_size(free)} free at {place}"
        level: Level = "fail" if free < GIGABYTE // 5 else "warn" if free < 5 * GIGABYTE else "ok"
        advice = "make room: 'prunesweep gc' lists what no sweep needs" if level != "ok" else ""
        yield Finding("disk", level, found, advice)


def check_shm(usage: Usage = shutil.disk_usage, place: Path = Path("/dev/shm")) -> Finding:
    """Look how much shared memory there is, where Ray keeps its objects."""
    if not place.exists():
        return Finding("shm", "ok", "none on this system")
    total, _, free = usage(place)
    found = f"{_size(free)} of {_size(total)} free at {place}"
    if free < 16 * 2**20:
        advice = "remove what is in it, or processes that share memory are killed"
        return Finding("shm", "fail", found, advice)
    if free < GIGABYTE // 2:
        advice = "Ray's objects go to the disk: give a container --shm-size=2g, or remove files"
        return Finding("shm", "warn", found, advice)
    return Finding("shm", "ok", found)


def _size(count: float) -> str:
    return f"{count / GIGABYTE:.1f} GB"
