"""A service of a Compose file, as far as it is run here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30}


@dataclass(frozen=True)
class Mount:
    """A volume or a file of the host in a container; a named volume has no slash in its name."""

    source: str
    target: str
    read_only: bool

    @property
    def is_volume(self) -> bool:
        """Whether Docker keeps it, and not a folder of the host."""
        return "/" not in self.source


@dataclass(frozen=True)
class Port:
    """A port of the container that the host has at an address of its own."""

    address: str
    published: int
    target: int


@dataclass(frozen=True)
class Service:
    """What Compose starts; times are in seconds, ``once`` is ``restart: "no"``.

    ``entrypoint`` is empty where it is the image's own.
    """

    name: str
    image: str
    entrypoint: list[str]
    command: list[str]
    environment: dict[str, str]
    secrets: list[str]
    mounts: list[Mount]
    ports: list[Port]
    depends_on: dict[str, str]
    health: list[str]
    start_period: float
    interval: float
    retries: int
    once: bool
    grace: float
    shared_memory: int
    files: int
    host_network: bool
    profiles: list[str]


def services(document: dict[str, Any], names: Collection[str] | None = None) -> dict[str, Service]:
    """Read the services ``names``, or all, of a merged document with its variables put in."""
    entries: dict[str, dict[str, Any]] = document["services"]
    chosen = entries if names is None else names
    return {name: _service(name, entries[name], chosen) for name in chosen}


def _service(name: str, entry: dict[str, Any], chosen: Collection[str]) -> Service:
    health = entry.get("healthcheck", {})
    depends_on = {
        on: how["condition"]
        for on, how in entry.get("depends_on", {}).items()
        if on in chosen or how.get("required", True)
    }
    return Service(
        name=name,
        image=entry["image"],
        entrypoint=_words(entry.get("entrypoint", [])),
        command=_words(entry.get("command", [])),
        environment={key: str(value) for key, value in entry.get("environment", {}).items()},
        secrets=entry.get("secrets", []),
        mounts=[_mount(text) for text in entry.get("volumes", [])],
        ports=[_port(text) for text in entry.get("ports", [])],
        depends_on=depends_on,
        health=_exec_form(health.get("test", [])),
        start_period=seconds(health.get("start_period", "0s")),
        interval=seconds(health.get("interval", "30s")),
        retries=health.get("retries", 3),
        once=entry.get("restart") == "no",
        grace=seconds(entry.get("stop_grace_period", "10s")),
        shared_memory=size(entry.get("shm_size", "64mb")),
        files=entry.get("ulimits", {}).get("nofile", 1024),
        host_network=entry.get("network_mode") == "host",
        profiles=entry.get("profiles", []),
    )


def _words(said: str | list[str]) -> list[str]:
    return shlex.split(said) if isinstance(said, str) else said


def _exec_form(test: list[str]) -> list[str]:
    if test and test[0] != "CMD":
        raise ValueError(f"expected a health check of the form CMD, got {test[0]}")
    return test[1:]


def _mount(text: str) -> Mount:
    source, target, *mode = text.split(":")
    return Mount(source, target, mode == ["ro"])


def _port(text: str) -> Port:
    address, published, target = text.split(":")
    return Port(address, int(published), int(target))


def seconds(text: str) -> float:
    """Read a duration, as ``1m30s``."""
    factors = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    return sum(int(number) * factors[unit] for number, unit in re.findall(r"(\d+)(ms|[hms])", text))


def size(text: str) -> int:
    """Read an amount of memory, as ``256mb``, in bytes."""
    number, unit = re.fullmatch(r"(\d+)([kmg]?b)", text).groups()  # type: ignore[union-attr]
    return int(number) * UNITS[unit]
