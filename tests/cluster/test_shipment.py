"""What goes to a cluster with a sweep."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from orchestrator.cli.cluster_sweep import checked, identity
from orchestrator.cluster.errors import ClusterError
from orchestrator.cluster.job import Identity
from orchestrator.cluster.job_folder import expect_lasting, report_folder
from orchestrator.cluster.shipment import Shipment, pack
from orchestrator.spec.loading import load_sweep
from orchestrator.spec.mistakes import SweepError

SWEEP = """
name: tiny
networks:
  - model: {resnet8: {width: 4}}
    data: digits
    training: {epochs: 1, batch_size: 64}
seeds: [0]
methods: [wt]
ratios: [0.5]
"""


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "sweeps").mkdir(parents=True)
    (tmp_path / "here" / "base.yaml").write_text(SWEEP)
    (tmp_path / "here" / "secret.txt").write_text("not yours")
    file = tmp_path / "here" / "sweeps" / "small.yaml"
    file.write_text("extends: ../base.yaml\nname: small\n")
    return file


def packed(sweep: Path, folder: Path, *modules: Path) -> Shipment:
    folder.mkdir()
    return pack(load_sweep(sweep), modules, folder)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_sweep_goes_with_what_it_extends_and_nothing_else(sweep: Path, tmp_path: Path) -> None:
    shipment = packed(sweep, tmp_path / "out")
    assert files(shipment.folder) == {"base.yaml", "sweeps/small.yaml"}
    command = shipment.command("run", "--set", "seeds=[1, 2]")
    assert command == "prunesweep run sweeps/small.yaml --set 'seeds=[1, 2]'"
    there = load_sweep(shipment.folder / "sweeps" / "small.yaml")
    here = load_sweep(sweep)
    assert (there.name, there.networks[0].model, there.seeds) == (
        "small",
        here.networks[0].model,
        (0,),
    )


def test_modules_lie_beside_the_sweep_file(sweep: Path, tmp_path: Path) -> None:
    own = tmp_path / "elsewhere" / "mynet.py"
    package = tmp_path / "elsewhere" / "mypackage"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "old.pyc").touch()
    own.touch()
    (package / "__init__.py").touch()
    shipment = packed(sweep, tmp_path / "out", own, package)
    shipped = {"sweeps/mynet.py", "sweeps/mypackage/__init__.py"}
    assert files(shipment.folder) == {"base.yaml", "sweeps/small.yaml", *shipped}
    with pytest.raises(SweepError, match=r"--module .*absent.py: no such file"):
        packed(sweep, tmp_path / "again", tmp_path / "absent.py")


def test_a_module_that_the_cluster_would_lack_is_named(
    sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = sweep.parent / "shipment_test_net.py"
    own.write_text("def net(*, channels, classes): ...\n")
    monkeypatch.syspath_prepend(str(sweep.parent))
    __import__("shipment_test_net")
    try:
        with pytest.raises(SweepError, match=r"uses shipment_test_net, .* add --module .*_net\.py"):
            packed(sweep, tmp_path / "out")
        shipment = packed(sweep, tmp_path / "with", own)
        assert "sweeps/shipment_test_net.py" in files(shipment.folder)
    finally:
        del sys.modules["shipment_test_net"]


def test_a_package_without_a_file_and_a_link_are_named_too(
    sweep: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, link = sweep.parent / "shipment_test_bare", sweep.parent / "shipment_test_link.py"
    package.mkdir()
    (package / "nets.py").touch()
    (tmp_path / "version_two.py").touch()
    link.symlink_to(tmp_path / "version_two.py")
    monkeypatch.syspath_prepend(str(sweep.parent))
    names = ("shipment_test_bare.nets", "shipment_test_link")
    try:
        for name in names:
            __import__(name)
        with pytest.raises(SweepError, match="uses shipment_test_bare,"):
            packed(sweep, tmp_path / "out", link)
        with pytest.raises(SweepError, match="uses shipment_test_link,"):
            packed(sweep, tmp_path / "again", package)
        shipment = packed(sweep, tmp_path / "with", link, package)
        shipped = {"sweeps/shipment_test_link.py", "sweeps/shipment_test_bare/nets.py"}
        assert files(shipment.folder) >= shipped
    finally:
        for name in (*names, "shipment_test_bare"):
            sys.modules.pop(name, None)


def test_the_digest_is_that_of_the_content(sweep: Path, tmp_path: Path) -> None:
    first, second = packed(sweep, tmp_path / "a"), packed(sweep, tmp_path / "b")
    assert first.digest("run") == second.digest("run") != first.digest("run --set a=b")
    sweep.write_text(sweep.read_text() + "seeds: [3]\n")
    assert packed(sweep, tmp_path / "c").digest("run") != first.digest("run")


def test_a_sweep_is_told_by_its_name_and_its_store() -> None:
    prefixes = {Identity(*of).prefix for of in (("a",), ("b",), ("a", "s3://x"), ("a b/c",))}
    assert len(prefixes) == 4
    assert Identity("a b/c").prefix.startswith("prunesweep-a-b-c-")


def test_this_machine_s_store_does_not_change_which_sweep_it_is(
    sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRUNESWEEP_STORE", "s3://mine/store")
    assert identity(checked(sweep, None)) == Identity("small")
    ours = identity(checked(sweep, ["store=s3://ours/store"]))
    assert ours == Identity("small", "s3://ours/store")


def test_nothing_that_lasts_goes_into_the_folder_of_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "runtime_resources" / "working_dir_files" / "_ray_pkg_1"
    job.mkdir(parents=True)
    with pytest.raises(ClusterError, match="would go with this job: name a folder"):
        expect_lasting(job / "store")
    expect_lasting("s3://bucket/store")
    expect_lasting(tmp_path / "store")
    assert report_folder("a", tmp_path / "store") == Path("reports/a")
    monkeypatch.chdir(job)
    assert report_folder("a", tmp_path / "store") == tmp_path / "store" / "reports" / "a"
    assert report_folder("a", "s3://bucket/store") == Path("reports/a")
