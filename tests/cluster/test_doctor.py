"""What is wrong with a machine is found, and said with what to do."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from orchestrator.cluster.doctor.finding import Finding, Node, complaints, worst
from orchestrator.cluster.doctor.machine import (
    ask_gpus,
    check_cpus,
    check_disk,
    check_gpus,
    check_shm,
    check_versions,
    compare_versions,
    usable_cpus,
    versions,
)
from orchestrator.cluster.doctor.nodes import judge_clock
from orchestrator.cluster.doctor.ports import check_node_ports, check_own_ports
from orchestrator.cluster.doctor.subject import subject_of
from tests.cluster.conftest import free_port
from workers.machine import Gpu, Gpus

GB = 10**9
SWEEP = """
name: fit
networks:
  - model: {resnet8: {width: 2}}
    data: digits
    training: {epochs: 1, batch_size: 64}
    retraining: {epochs: 1}
seeds: [0]
methods: [wt]
ratios: [0.5]
"""


@pytest.mark.parametrize(("free", "level"), [(0, "fail"), (60 * 2**20, "warn"), (GB, "ok")])
def test_shared_memory(tmp_path: Path, free: int, level: str) -> None:
    assert check_shm(lambda path: (GB, GB - free, free), tmp_path).level == level


@pytest.mark.parametrize(("free", "level"), [(GB // 10, "fail"), (GB, "warn"), (9 * GB, "ok")])
def test_room_on_disk(tmp_path: Path, free: int, level: str) -> None:
    found = list(check_disk([tmp_path / "a" / "b", tmp_path], lambda path: (0, 0, free)))
    assert [(one.level, one.found) for one in found] == [
        (level, f"{free / GB:.1f} GB free at {tmp_path}")
    ]


def test_a_container_is_allowed_fewer_cpus(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text("100000 100000\n")
    assert usable_cpus(quota) == 1
    quota.write_text("max 100000\n")
    assert usable_cpus(quota) == usable_cpus(tmp_path / "none")
    assert check_cpus(10**6).advice.startswith("a chain is given 1000000: --set resources.cpus=")


CARD = Gpu(name="NVIDIA X", total=80 * GB, used=GB)
BUSY = Gpu(name="NVIDIA X", total=80 * GB, used=60 * GB, processes=("77 python",))


@pytest.mark.parametrize(
    ("seen", "wanted", "expected"),
    [
        (Gpus(), 0.0, [("ok", "")]),
        (Gpus(), 0.5, [("fail", "a chain is given 0.5 (none is here)")]),
        (Gpus(listed=(CARD,), cuda="13.2", usable=1), 1.0, [("ok", "")]),
        (Gpus(listed=(CARD,)), 0.0, [("fail", "install torch for CUDA")]),
        (Gpus(listed=(CARD,), hidden=True), 0.0, [("ok", "")]),
        (Gpus(listed=(CARD,), hidden=True), 1.0, [("fail", "(unset CUDA_VISIBLE_DEVICES)")]),
        (
            Gpus(listed=(CARD,), cuda="13.2", error="driver too old"),
            0.0,
            [("fail", "install a driver that suits (driver too old)")],
        ),
        (
            Gpus(listed=(CARD, BUSY), cuda="13.2", usable=2),
            1.0,
            [("ok", ""), ("warn", "end it, or choose other GPUs by CUDA_VISIBLE_DEVICES")],
        ),
    ],
)
def test_gpus(seen: Gpus, wanted: float, expected: list[tuple[str, str]]) -> None:
    found = list(check_gpus(seen, wanted))
    assert [one.level for one in found] == [level for level, _ in expected]
    assert all(advice in one.advice for one, (_, advice) in zip(found, expected, strict=True))
    if len(found) == 2:
        assert found[1].found == "GPU 1: 60.0 GB of 80.0 GB in use by 77 python"
        assert len(list(check_gpus(seen, wanted, ours=True))) == 1


@pytest.mark.slow
def test_the_driver_is_asked_for_its_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        "#!/bin/sh\ncase $1 in\n"
        '*query-gpu*) echo "GPU-1, NVIDIA H200, 1000, 10, 580.1"\n'
        ' echo "GPU-2, GB10, [N/A], [N/A], 580.1";;\n'
        '*) echo "GPU-1, 12, python";;\nesac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    seen = ask_gpus()
    assert isinstance(seen, Gpus)
    assert seen.driver == "580.1"
    assert seen.listed == (
        Gpu(name="NVIDIA H200", total=1000 * 2**20, used=10 * 2**20, processes=("12 python",)),
        Gpu(name="GB10", total=0, used=0),
    )


def test_versions_that_differ() -> None:
    assert [one.level for one in check_versions()] == ["ok"]
    own = versions()
    minor = own["Python"].rpartition(".")[0]
    assert list(compare_versions(own, own | {"Python": f"{minor}.99"}, "the driver", True)) == []
    other = own | {"ray": "1.0", "torch": "1.0"}
    strict = list(compare_versions(own, other, "the driver", strict=True))
    assert [(one.level, one.found) for one in strict] == [
        ("fail", f"ray {own['ray']}, on the driver 1.0"),
        ("warn", f"torch {own['torch']}, on the driver 1.0"),
    ]
    loose = compare_versions(own, other, "the cluster", strict=False)
    assert [one.level for one in loose] == ["warn", "warn"]


@pytest.mark.parametrize(
    ("difference", "trip", "level"),
    [(0.01, 0.02, "ok"), (-5.0, 0.02, "warn"), (900.0, 0.02, "fail"), (3.0, 4.0, "ok")],
)
def test_clocks(difference: float, trip: float, level: str) -> None:
    assert judge_clock(difference, trip).level == level


def test_ports() -> None:
    closed = free_port()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert check_own_ports({"--port": closed}).level == "ok"
        taken = check_own_ports({"--port": port, "--dashboard-port": closed})
        assert (taken.level, taken.found) == ("warn", f"in use: {port}")
        assert taken.advice.endswith("else start Ray here with another --port")
        node = check_node_ports("127.0.0.1", {"metrics": closed, "raylet": port})
    assert node.found == f"the driver cannot connect to 127.0.0.1: {closed} (metrics)"


def test_what_a_sweep_and_the_environment_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("PRUNESWEEP_STORE", "s3://bucket/folder")
    alone = subject_of(None)
    assert (alone.store, alone.folder, alone.data) == ("s3://bucket/folder", None, ())
    assert alone.uri == f"sqlite:///{tmp_path}/mlflow.db"
    file = tmp_path / "sweep.yaml"
    file.write_text(f"{SWEEP}tasks: {{train: [nominal], test: [shifted: {{data: cifar10_1}}]}}\n")
    asked = subject_of(file, ["resources.gpus=0.5", "store=mine"])
    assert (asked.folder, asked.gpus, asked.experiment) == (tmp_path / "mine", 0.5, "fit")
    assert [one.name for one in asked.data] == ["digits", "cifar10_1"]


def test_equal_complaints_are_one_line_and_the_worst_comes_first() -> None:
    full = Finding("disk", "warn", "1 GB free", "make room")
    gone = Finding("store", "fail", "not shared", "mount it")
    nodes = [Node(str(number), (full,)) for number in range(7)]
    nodes.append(Node("7", (gone, Finding("store", "ok", "fast"), full)))
    assert complaints(nodes) == [
        "fail: store on 7: not shared; mount it",
        "warn: disk on 0, 1, 2, 3, 4 and 3 more: 1 GB free; make room",
    ]
    assert (nodes[7].level("store"), nodes[7].level("gpus")) == ("fail", None)
    assert worst([]) is None
