"""What docker/Dockerfile puts into the image: locked packages, and this one whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cluster.compose.image import DOCKERFILE, ROOT

LOCK = ROOT / "requirements-cluster.lock"
ENTRY = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
CUDA = re.compile(r"(nvidia-|cuda-|triton$)")


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Split the lock as the Dockerfile does for machines without a GPU."""
    folder = tmp_path_factory.mktemp("lists")
    subprocess.run([sys.executable, ROOT / "docker" / "cpu-lock", LOCK, folder], check=True)
    return (folder / "torch.txt").read_text(), (folder / "rest.txt").read_text()


def test_without_a_gpu_every_package_keeps_its_version_and_cuda_goes(
    lists: tuple[str, str],
) -> None:
    torch, rest = (dict(ENTRY.findall(text)) for text in lists)
    locked = dict(ENTRY.findall(LOCK.read_text()))
    assert set(torch) == {"torch", "torchvision"}
    gone = {name for name in locked if CUDA.match(name)}
    assert {"triton", "cuda-toolkit", "nvidia-cublas"} <= gone
    assert torch | rest == {name: locked[name] for name in locked if name not in gone}


def test_without_a_gpu_every_hash_is_kept(lists: tuple[str, str]) -> None:
    text = LOCK.read_text()
    for entry in re.split(r"\n(?=\S)", lists[1].strip()):
        assert entry.startswith("#") or (entry in text and "--hash=sha256:" in entry), entry


def test_without_a_gpu_pytorch_still_has_all_that_it_needs(lists: tuple[str, str]) -> None:
    rest = dict(ENTRY.findall(lists[1]))
    needed = {
        re.split(r"[^A-Za-z0-9._-]", one)[0].lower().replace("_", "-")
        for one in requires("torch") or []
        if "extra ==" not in one
    }
    assert "sympy" in needed
    assert {name for name in needed if not CUDA.match(name)} <= set(rest)


@pytest.mark.slow
def test_what_is_copied_makes_the_package_whole(tmp_path: Path) -> None:
    """Build the wheel from what the Dockerfile copies and its list lets through."""
    ignored = (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
    passed = {line[1:] for line in ignored if line.startswith("!")}
    copied = [
        words.split() for words in re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE.read_text(), re.M)
    ]
    assert {source for *sources, _ in copied for source in sources} == passed
    source = tmp_path / "source"
    source.mkdir()
    for *sources, target in copied:
        for name in sources:
            if (ROOT / name).is_dir():
                hide = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, source / target, ignore=hide)
            else:
                shutil.copy(ROOT / name, source / target)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    words = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        *options,
        "--wheel-dir",
        str(tmp_path),
        str(source),
    ]
    subprocess.run(words, check=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info" not in name}
    kinds = (".py", ".html", ".css", ".typed")
    ours = {
        str(file.relative_to(ROOT))
        for package in ("orchestrator", "workers")
        for file in (ROOT / package).rglob("*")
        if file.suffix in kinds or file.name == "py.typed"
    }
    assert packed == ours
