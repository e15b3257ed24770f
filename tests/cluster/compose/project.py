"""``docker compose up --wait`` and ``down`` without Docker: services as processes in namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from tests.cluster.compose import publish
from tests.cluster.compose.container import Container
from tests.cluster.compose.image import ROOT, ours, stand_in
from tests.cluster.compose.network import Host, entering
from tests.cluster.compose.service import Service


@dataclass
class Project:
    """The services of a Compose file on one host.

    Attributes:
        services: those to start, with all that they depend on.
        secrets: the file of each secret.
        host: where they run.
        folder: that of the first Compose file; paths are relative to it.
        state: an empty folder for volumes and logs.
        postgres: the folder of PostgreSQL's programs.

    """

    services: Mapping[str, Service]
    secrets: Mapping[str, Path]
    host: Host
    folder: Path
    state: Path
    postgres: Path
    containers: dict[str, list[Container]] = field(init=False, default_factory=dict)
    _publishing: subprocess.Popen[bytes] | None = field(init=False, default=None)

    def up(self, scale: Mapping[str, int]) -> None:
        """Start every service when what it depends on allows, and wait until all are well.

        Raises:
            ContainerError: one is not.

        """
        for name in ("logs", "volumes", "roots"):
            (self.state / name).mkdir()
        for name, service in self.services.items():
            count = scale.get(name, 1)
            self.containers[name] = [self._container(service, n + 1) for n in range(count)]
        self._write_names()
        self._publish()
        begun: dict[str, Future[None]] = {}
        with ThreadPoolExecutor(len(self.services)) as pool:
            for name in self._order():
                before = [begun[on] for on in self.services[name].depends_on]
                begun[name] = pool.submit(self._start, name, before)
        for future in begun.values():
            future.result()

    def down(self) -> dict[str, bool]:
        """Stop every container, dependents first; say of each whether it ended in time."""
        ended: dict[str, bool] = {}
        for name in reversed(self._order()):
            if containers := self.containers.get(name):
                with ThreadPoolExecutor(len(containers)) as pool:
                    told = list(pool.map(Container.stop, containers))
                ended |= {one.name: in_time for one, in_time in zip(containers, told, strict=True)}
        if self._publishing:
            self._publishing.kill()
            self._publishing.wait()
        return ended

    def _order(self) -> list[str]:
        graph = {name: service.depends_on for name, service in self.services.items()}
        return list(TopologicalSorter(graph).static_order())

    def _start(self, name: str, before: Sequence[Future[None]]) -> None:
        for other in before:
            other.result()  # it is healthy, or completed
        for container in self.containers[name]:
            root = self.state / "roots" / container.name
            root.mkdir()
            container.start(root, [*self._system(container), *self._binds(container)])
        for container in self.containers[name]:
            if container.service.once:
                container.wait_completed()
            else:
                container.wait_healthy()

    def _container(self, service: Service, number: int) -> Container:
        name = f"{service.name}-{number}"
        image = ours() if service.image == "prunesweep" else stand_in(service.image, self.postgres)
        log = self.state / "logs" / name
        if service.host_network:
            return Container(name, service, image, self.host.name, "", log)
        address = self.host.attach(name)
        return Container(name, service, image, f"{self.host.name}-{name}", address, log)

    def _system(self, container: Container) -> Iterator[tuple[str, str, bool]]:
        if container.image.root == "/":
            for folder in (ROOT, Path(sys.prefix), Path(sys.base_prefix)):
                yield str(folder), str(folder), True
            yield str(self.state / "passwd"), "/etc/passwd", True
        elif not container.address:
            yield "/etc/hosts", "/etc/hosts", True

    def _binds(self, container: Container) -> Iterator[tuple[str, str, bool]]:
        for mount in container.service.mounts:
            source = (self.folder / mount.source).resolve()
            if mount.is_volume:
                source = self.state / "volumes" / mount.source
                if not source.exists():
                    source.mkdir()
                    owner = container.image.folders.get(mount.target, 0)
                    os.chown(source, owner, owner)
            yield str(source), mount.target, mount.read_only
        for secret in container.service.secrets:
            yield str(self.secrets[secret]), f"/run/secrets/{secret}", True
        if container.address:
            yield str(self.state / "hosts"), "/etc/hosts", True
            names = Path("/etc/resolv.conf")
            if container.image.root == "/":
                names = names.resolve()
            yield str(self.state / "resolv.conf"), str(names), True

    def _write_names(self) -> None:
        """Name the services, and the user whom the Dockerfile adds."""
        lines = ["127.0.0.1 localhost"]
        for name, containers in self.containers.items():
            lines += [f"{one.address} {name} {one.name}" for one in containers if one.address]
        (self.state / "hosts").write_text("\n".join(lines) + "\n")
        # As in Docker; nobody answers there, which says at once that a name has no other address.
        (self.state / "resolv.conf").write_text("nameserver 127.0.0.11\noptions ndots:0\n")
        user = str(ours().user)
        lines = [f"prunesweep:x:{user}:{user}::{ours().workdir}:/bin/sh"]
        users = Path("/etc/passwd").read_text().splitlines()
        lines += [line for line in users if line.split(":")[2] != user]
        (self.state / "passwd").write_text("\n".join(lines) + "\n")

    def _publish(self) -> None:
        pairs = [
            f"{port.address}:{port.published}={one.address}:{port.target}"
            for containers in self.containers.values()
            for one in containers
            for port in one.service.ports
        ]
        words = [*entering(self.host.name), sys.executable, str(publish.__file__), *pairs]
        self._publishing = subprocess.Popen(words)
