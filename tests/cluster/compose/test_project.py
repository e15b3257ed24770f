"""What stands in for Docker: containers are apart, wait for each other, and leave nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.compose.conftest import obstacle, running
from tests.cluster.compose.container import ContainerError
from tests.cluster.compose.network import FOLDER, Host
from tests.cluster.compose.project import Project
from tests.cluster.compose.service import services

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(obstacle()), reason=str(obstacle())),
]

LOOK = """
id -u; hostname; cat /run/secrets/word; stat -c %U /store; df --output=size -B1 /dev/shm | tail -1
ls /proc | grep -c '^[0-9]'; cat /config; touch /config 2>/dev/null || echo read-only
touch /store/mine; python -c '
from urllib.request import urlopen
print(urlopen("http://server:8000/mine").status)'
"""
KNOCK = "import socket; socket.create_connection(('server', 8000))"


def project(folder: Path, **changes: Any) -> Project:
    server = {
        "image": "prunesweep",
        "command": "python -m http.server 8000 --directory /store",
        "volumes": ["store:/store"],
        "ports": ["127.0.0.1:80:8000"],
        "healthcheck": {"test": ["CMD", "python", "-c", KNOCK]},
    }
    client = {
        "image": "prunesweep",
        "command": ["sh", "-c", LOOK],
        "secrets": ["word"],
        "volumes": ["store:/store", "./config:/config:ro"],
        "shm_size": "8mb",
        "restart": "no",
        "depends_on": {"server": {"condition": "service_healthy"}},
    }
    (folder / "state").mkdir()
    (folder / "word").write_text("sesame\n")
    (folder / "config").write_text("a: 1\n")
    found = services({"services": {"client": client, "server": server | changes}})
    host = Host(f"compose-{os.getpid()}")
    return Project(found, {"word": folder / "word"}, host, folder, folder / "state", Path())


def test_a_container_has_what_the_service_says(tmp_path: Path) -> None:
    with running(project(tmp_path)) as up:
        (client,) = up.containers["client"]
        answer = up.host.run("wget", "-qO-", "http://127.0.0.1/")
        assert "mine" in answer.stdout  # the published port, on the host's loopback
        (server,) = up.containers["server"]
        assert server.execute("hostname").stdout == "server-1\n"
    said = client.log.read_text().split()
    # Processes: init, sh, ls and grep.
    assert said == [
        *("1000", "client-1", "sesame", "prunesweep", str(8 * 2**20), "4"),
        *("a:", "1", "read-only", "200"),
    ]


def test_what_fails_leaves_nothing_either(tmp_path: Path) -> None:
    broken = project(tmp_path, command="sh -c 'echo no such port; exit 3'")
    with pytest.raises(ContainerError, match=r"(?s)server-1 .*no such port"), running(broken):
        pass
    assert not list(FOLDER.glob(f"{broken.host.name}*"))


def test_who_ignores_the_signal_is_killed_and_told_of(tmp_path: Path) -> None:
    deaf = "sh -c 'trap \"\" TERM; python -m http.server 8000 --directory /store & wait; sleep 99'"
    with (
        pytest.raises(AssertionError, match="'server-1': False"),
        running(project(tmp_path, command=deaf, stop_grace_period="1s")),
    ):
        pass
    assert not list(FOLDER.glob(f"compose-{os.getpid()}*"))
