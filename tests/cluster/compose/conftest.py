"""Compose projects that run for the length of a module, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from tests.cluster.compose.document import load
from tests.cluster.compose.image import ROOT
from tests.cluster.compose.network import FOLDER, Host
from tests.cluster.compose.project import Project
from tests.cluster.compose.service import services

POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
PROGRAMS = ("ip", "mount", "nsenter", "setpriv", "unshare")


def obstacle() -> str | None:
    """Say why no container can be imitated here, if so."""
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        return f"needs {', '.join(missing)}"
    if os.getuid():
        return "needs to be root, for network and mount namespaces"
    trial = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "true"]
    if subprocess.run(trial, capture_output=True).returncode:
        return "needs the right to make namespaces"
    return None


def prepared(
    folder: Path, files: Sequence[str], names: Sequence[str], environment: Mapping[str, str]
) -> Project:
    """Copy ``docker/``, make its secrets, and choose the services ``names``."""
    docker, state = folder / "docker", folder / "state"
    shutil.copytree(ROOT / "docker", docker, ignore=shutil.ignore_patterns("secrets"))
    state.mkdir()
    subprocess.run([docker / "make-secrets"], check=True)
    document = load([docker / file for file in files], environment)
    chosen = services(document, names)
    secrets = {name: docker / entry["file"] for name, entry in document["secrets"].items()}
    host = Host(f"compose-{uuid4().hex[:6]}")
    return Project(chosen, secrets, host, docker, state, POSTGRES or Path())


@contextmanager
def running(project: Project, scale: Mapping[str, int] | None = None) -> Iterator[Project]:
    """Run ``project``; at the end it is stopped as Compose does, in time and without a trace."""
    host = project.host
    try:
        try:
            project.up(scale or {})
            yield project
        finally:
            ended = project.down()
            left = host.processes()
    finally:
        host.remove()
    assert not left
    assert all(ended.values()), ended
    assert not list(FOLDER.glob(f"{host.name}*"))
