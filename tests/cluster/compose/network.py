"""Docker's bridge network, as network namespaces: a host with a bridge, containers on it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

GATEWAY = "172.30.0.1"
FOLDER = Path("/run/netns")


def ip(*words: str) -> None:
    """Call ip(8)."""
    subprocess.run(["ip", *words], check=True)


class Host:
    """A machine that runs containers: its loopback is what they publish their ports on.

    It is a network namespace of its own, so that no port of this machine is taken.
    """

    def __init__(self, name: str) -> None:
        """Make the host."""
        self.name = name
        self.members: list[str] = []
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
        ip("-n", name, "link", "add", "bridge", "type", "bridge")
        ip("-n", name, "addr", "add", f"{GATEWAY}/24", "dev", "bridge")
        ip("-n", name, "link", "set", "bridge", "up")

    def attach(self, member: str) -> str:
        """Make the namespace of a container, and return its address."""
        namespace, number = f"{self.name}-{member}", len(self.members) + 2
        address, veth = f"172.30.0.{number}", f"veth{number}"
        ip("netns", "add", namespace)
        self.members.append(namespace)
        peer = ("peer", "name", "eth0", "netns", namespace)
        ip("-n", self.name, "link", "add", veth, "type", "veth", *peer)
        ip("-n", self.name, "link", "set", veth, "master", "bridge", "up")
        ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", namespace, "link", "set", device, "up")
        ip("-n", namespace, "route", "add", "default", "via", GATEWAY)
        return address

    def join(self, other: Host, own: str, its: str) -> None:
        """Lay a cable to another host, and give both an address in the network that this makes."""
        peer = ("peer", "name", "lan", "netns", other.name)
        ip("-n", self.name, "link", "add", "lan", "type", "veth", *peer)
        for host, address in ((self, own), (other, its)):
            ip("-n", host.name, "addr", "add", f"{address}/24", "dev", "lan")
            ip("-n", host.name, "link", "set", "lan", "up")
            ip("-n", host.name, "route", "add", "default", "dev", "lan")

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program on the host, and return what it said."""
        return subprocess.run(
            [*entering(self.name), *command], capture_output=True, text=True, **options
        )

    def processes(self) -> list[int]:
        """List the processes in its namespaces."""
        names = (self.name, *self.members)
        inodes = {(FOLDER / name).stat().st_ino for name in names}
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it may end while we look
                if (process / "ns/net").stat().st_ino in inodes:
                    found.append(int(process.name))
        return found

    def remove(self) -> None:
        """Kill what still runs in the namespaces, and remove them."""
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for namespace in (*self.members, self.name):
            ip("netns", "delete", namespace)


def entering(namespace: str) -> list[str]:
    """Say the words that run what follows in a network namespace."""
    return ["nsenter", f"--net={FOLDER / namespace}"]
