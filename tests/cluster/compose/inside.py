"""Runs one container's process; as root, and first in new mount, PID, IPC and UTS namespaces.

    unshare --mount --pid --ipc --uts --fork python inside.py <<< JSON of a Task

The root folder is a memory file system with the programs of the machine, or of an image that was
built, mounted in, read through; so the mount points of a container need not exist here, and are
gone with it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "etc", "opt")
KERNEL = ("sys", "dev")


@dataclass(frozen=True)
class Task:
    """What to run.

    ``ready`` is a file descriptor that is written to when the root is; ``programs`` is the root
    folder that they are taken from; ``binds`` are sources, targets and whether they are read-only;
    ``folders`` are owned by users.
    """

    ready: int
    root: str
    programs: str
    binds: list[tuple[str, str, bool]]
    folders: dict[str, int]
    hostname: str
    shared_memory: int
    files: int
    user: int
    environment: dict[str, str]
    workdir: str
    command: list[str]


def main() -> int:
    """Build the root, then run the command as an init does."""
    os.umask(0o022)
    task = Task(**json.loads(sys.stdin.read()))
    build(task)
    os.chroot(task.root)
    socket.sethostname(task.hostname)
    os.write(task.ready, b"!")
    os.close(task.ready)
    return init(task)


def build(task: Task) -> None:
    """Make the root folder."""
    root = Path(task.root)
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", root)
    for host in (
        *(Path(task.programs, name) for name in PROGRAMS),
        *(Path("/", name) for name in KERNEL),
    ):
        if host.is_symlink():
            (root / host.name).symlink_to(os.readlink(host))
        elif host.exists():
            (root / host.name).mkdir()
            mount("--rbind", host, root / host.name)
    for name in ("proc", "run", "tmp", "var/tmp"):
        (root / name).mkdir(parents=True)
        (root / name).chmod(0o1777 if name.endswith("tmp") else 0o755)
    (root / "var/run").symlink_to("/run")
    mount("-t", "proc", "proc", root / "proc")
    mount("-t", "tmpfs", "-o", f"mode=1777,size={task.shared_memory}", "tmpfs", root / "dev/shm")
    for folder, owner in task.folders.items():
        (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        os.chown(root / folder.lstrip("/"), owner, owner)
    for source, target, read_only in task.binds:
        bind(Path(source), root / target.lstrip("/"), read_only)


def bind(source: Path, target: Path, read_only: bool) -> None:
    """Mount a file or folder on a path, which is made if need be."""
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount("--bind", source, target)
    if read_only:
        mount("-o", "remount,bind,ro", target)


def mount(*words: str | Path) -> None:
    """Call mount(8)."""
    subprocess.run(["mount", *map(str, words)], check=True)


def init(task: Task) -> int:
    """Run the command, hand it signals, and reap what it leaves, as ``init: true`` does."""
    child = os.fork()
    if not child:
        become(task)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status) & 0xFF


def become(task: Task) -> None:
    """Turn into the command."""
    os.setsid()
    files = min(task.files, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    os.setgroups([])
    os.setgid(task.user)
    os.setuid(task.user)
    os.chdir(task.workdir)
    os.execvpe(task.command[0], task.command, task.environment)


if __name__ == "__main__":
    sys.exit(main())
