"""``ray up``, ``ray submit`` and ``ray down`` with docker/ray-cluster.yaml, over real SSH.

Three machines, each with its own network, processes, home and /tmp: a client, a head and a worker.
Ray ends whatever Ray process it sees on a machine, so that they must not see this one's.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.cluster.compose.network import Host, entering

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SHIPPED = ("docker", "sweeps", "orchestrator", "workers", "pyproject.toml", "README.md", "LICENSE")
SSHD = "/usr/sbin/sshd"
HOME = Path("home/ubuntu")
# Ubuntu's user is root under another name: only root can make the machines.
PASSWD = "ubuntu:x:0:0::/home/ubuntu:/bin/bash\nsshd:x:101:65534::/run/sshd:/bin/false\n"
SHADOW = "ubuntu:*:20000:0:99999:7:::\nsshd:*:20000:0:99999:7:::\n"
INSIDE = """
for file in passwd shadow; do mount --bind "$LAB/$file" /etc/$file; done
cover() {  # a folder of this machine by one of the lab, but for the repository, should it lie there
    case "$ROOT" in "$2"/*)
        mkdir -p "$1${ROOT#"$2"}" && mount --bind "$ROOT" "$1${ROOT#"$2"}" ;;
    esac
    mount --rbind "$1" "$2"
}
cover "$LAB/$MACHINE/home" /home
cover "$LAB/mnt" /mnt
mount -t tmpfs tmpfs /run && mkdir /run/sshd
mount -t tmpfs -o size=2g tmpfs /dev/shm
cover "$LAB/$MACHINE/tmp" /tmp
cd "$HOME" && exec "$@"
"""
SERVER = (
    *(SSHD, "-D", "-e", "-f", "/dev/null", "-h", "/home/ubuntu/.ssh/host_key"),
    *("-o", "PermitRootLogin=prohibit-password", "-o", "PasswordAuthentication=no"),
    *("-o", "UsePAM=no", "-o", "PrintMotd=no"),
)
CHANGES = {
    "192.168.1.10": "172.30.0.2",
    "192.168.1.11": "172.30.0.3",
    # A worker that has lost its head waits ten seconds, not a minute.
    "token;\n    setsid": "token RAY_gcs_rpc_server_reconnect_timeout_s=10;\n    setsid",
}
SWEEP = """
name: by-ssh
networks:
  - model: {resnet8: {width: 2}}
    data: digits
    training: {epochs: 1, batch_size: 64}
seeds: [0]
methods: [wt]
ratios: [0.5]
"""


@dataclass
class Lab:
    """The machines; ``ssh`` and ``client`` run a command on one of them."""

    folder: Path
    network: Host

    def enter(self, machine: str, namespace: str) -> list[str]:
        keep = {"LAB": str(self.folder), "MACHINE": machine, "HOME": f"/{HOME}", "LANG": "C.UTF-8"}
        keep["ROOT"] = str(ROOT)
        path = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        words = [*entering(namespace), "env", "-i", f"PATH={path}"]
        words += [f"{name}={value}" for name, value in keep.items()]
        words += ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
        return [*words, "sh", "-ec", INSIDE, "sh"]

    def client(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the client's copy of the repository."""
        words = [*self.enter("client", self.network.name), "sh", "-ec", f"cd prunesweep; {command}"]
        ended = subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
        )
        print(f"$ {command}\n{ended.stdout}", flush=True)
        return ended

    def processes(self, address: str) -> set[str]:
        """The names of Ray's processes on a machine."""
        ssh = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        listed = self.client(f"{ssh} -i ~/.ssh/prunesweep {address} ps -eo args=")
        assert listed.returncode == 0, listed.stdout
        marks = ("raylet", "gcs_server", "ray::", "ray/", "prunesweep run")
        return {line for line in listed.stdout.splitlines() if any(mark in line for mark in marks)}


@pytest.fixture
def lab() -> Iterator[Lab]:
    missing = [name for name in ("ssh", "rsync", "unshare", "ip", SSHD) if not shutil.which(name)]
    if os.geteuid() or missing:
        pytest.skip(f"needs root (uid {os.geteuid()}), and does not find {missing}")
    folder = Path(mkdtemp(prefix="ps-", dir="/tmp"))
    try:
        network = Host(f"ssh{os.getpid()}")
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder)
        pytest.skip(f"no network namespaces here: {error}")
    servers: list[subprocess.Popen[bytes]] = []
    try:
        machines = prepare(folder)
        made = Lab(folder, network)
        for machine in machines[1:]:
            network.attach(machine)
            with (folder / f"{machine}.log").open("wb") as log:
                command = [*made.enter(machine, f"{network.name}-{machine}"), *SERVER]
                servers.append(subprocess.Popen(command, stdout=log, stderr=log))
        yield made
    finally:
        for server in servers:
            server.kill()
            server.wait()
        network.remove()
        shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path) -> tuple[str, ...]:
    """Write what the machines have on their disks, and name them."""
    machines = ("client", "head", "worker")
    (folder / "mnt").mkdir()
    (folder / "passwd").write_text(PASSWD)
    (folder / "shadow").write_text(SHADOW)
    key = folder / "key"
    for name in (key, folder / "host_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name], check=True)
    for machine in machines:
        home = folder / machine / HOME
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        (folder / machine / "tmp").mkdir()
        shutil.copy(folder / "host_key", home / ".ssh")
        shutil.copy(key.with_suffix(".pub"), home / ".ssh" / "authorized_keys")
        # What `pip install` would make: the same package, in minutes.
        (home / ".prunesweep").symlink_to(Path(sys.executable).parents[1])
    home = folder / "client" / HOME
    shutil.copy(key, home / ".ssh" / "prunesweep")
    copy = home / "prunesweep"
    copy.mkdir()
    leave = shutil.ignore_patterns("__pycache__", "secrets")
    for name in (*SHIPPED, "requirements-cluster.lock"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=leave)
        else:
            shutil.copy(source, copy)
    cluster = copy / "docker" / "ray-cluster.yaml"
    text = cluster.read_text()
    for ours, theirs in CHANGES.items():
        assert ours in text
        text = text.replace(ours, theirs)
    cluster.write_text(text)
    (copy / "mine.yaml").write_text(SWEEP)
    return machines


def test_up_submit_down(lab: Lab) -> None:
    up = lab.client("docker/make-secrets && ray up --yes --no-config-cache docker/ray-cluster.yaml")
    assert up.returncode == 0, up.stdout
    head, worker = "172.30.0.2", "172.30.0.3"

    shipped = lab.client(
        "ray rsync-up docker/ray-cluster.yaml mine.yaml '~/prunesweep/sweeps/mine.yaml'"
    )
    assert shipped.returncode == 0, shipped.stdout
    submit = "ray submit docker/ray-cluster.yaml docker/submit_sweep.py -- sweeps/mine.yaml"
    ran = lab.client(submit)
    assert ran.returncode == 0, ran.stdout
    assert "2 done, " in ran.stdout
    assert (lab.folder / "mnt/prunesweep/store/reports/by-ssh/report.html").exists()
    with sqlite3.connect(lab.folder / "mnt/prunesweep/store/mlflow.db") as database:
        assert set(database.execute("select status from runs")) == {("FINISHED",)}
    assert any("raylet" in line for line in lab.processes(worker))

    refused = lab.client(f"{submit} --set seeds=[0,0]")
    assert refused.returncode != 0
    assert "seeds[1]: duplicate 0" in refused.stdout

    down = lab.client("ray down --yes docker/ray-cluster.yaml")
    assert down.returncode == 0, down.stdout
    deadline = time.monotonic() + 180
    while left := lab.processes(head) | lab.processes(worker):
        assert time.monotonic() < deadline, left
        time.sleep(5)
