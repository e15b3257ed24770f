"""A network of the user's own, in a file beside the sweep, run from a clean folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Write = Callable[..., Path]
COMMAND = str(Path(sys.executable).with_name("prunesweep"))

pytestmark = pytest.mark.slow

FACTORY = """\
from torch import nn


def perceptron(*, channels: int, classes: int, width: int = 16) -> nn.Module:
    \"\"\"One hidden layer on 8 by 8 pixels.\"\"\"
    hidden = nn.Linear(64 * channels, width)
    return nn.Sequential(nn.Flatten(), hidden, nn.ReLU(), nn.Linear(width, classes))
"""


def prunesweep(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([COMMAND, *words], cwd=cwd, capture_output=True, text=True, env=path)


@pytest.mark.parametrize(
    ("executor", "beside"), [("local", "sweep"), ("ray", "sweep"), ("ray", "shell")]
)
def test_a_network_of_ones_own(tiny: Write, tmp_path: Path, executor: str, beside: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = tmp_path if beside == "sweep" else elsewhere
    (folder / "mynet.py").write_text(FACTORY)
    network = {
        "model": {"mynet:perceptron": {"width": 8}},
        "data": "digits",
        "training": {"epochs": 1},
    }
    file = str(tiny(networks=[network], seeds=[0], methods=["wt"], ratios=[0.5]))
    planned = json.loads(prunesweep("plan", file, "--json", cwd=elsewhere).stdout)
    assert planned["estimate"]["basis"] == "probed"
    assert not [*tmp_path.rglob("__pycache__")]
    ran = prunesweep("run", file, "--executor", executor, "--no-report", cwd=elsewhere)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(prunesweep("status", file, "--json", cwd=elsewhere).stdout)
    assert told["chains"] == {
        "perceptron-8-digits/s0/dense": "complete",
        "perceptron-8-digits/s0/wt/cascade": "complete",
    }


def test_the_readme_s_network_on_ones_own_images(tmp_path: Path) -> None:
    """The two blocks of the README and a folder of images, from outside of the package."""
    from PIL import Image

    readme = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = readme.split("```")
    (tmp_path / "nets.py").write_text(next(b for b in blocks if "# nets.py" in b)[len("python") :])
    sweep = next(b for b in blocks if b.startswith("yaml\nname: own"))[len("yaml") :]
    (tmp_path / "own.yaml").write_text(sweep)
    random = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 4)):
        for label, shade in (("dark", 40), ("light", 200)):
            folder = tmp_path / "my" / split / label
            folder.mkdir(parents=True)
            for index in range(count):
                grey = random.integers(shade - 40, shade + 40, (70, 80, 3), dtype=np.uint8)
                Image.fromarray(grey).save(folder / f"{index}.png")
    short = ("--set", "networks.0.training={epochs: 2, batch_size: 8}", "--set", "ratios=[0.3]")
    few = ("--set", "seeds=[0]")
    ran = prunesweep("run", "own.yaml", "--executor", "local", *short, *few, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    cells = (tmp_path / "reports" / "own" / "tables" / "potentials.csv").read_text()
    assert all(method in cells for method in ("wt", "sipp", "ft", "pfp"))


def test_an_edited_network_is_another_network(tiny: Write, tmp_path: Path) -> None:
    def keys() -> set[str]:
        told = prunesweep("plan", "tiny.yaml", "--json", "--no-estimate", cwd=tmp_path)
        return {key for chain in json.loads(told.stdout)["chains"].values() for key in chain}

    network = {"model": "mynet:perceptron", "data": "digits", "training": {"epochs": 1}}
    tiny(networks=[network])
    (tmp_path / "mynet.py").write_text(FACTORY)
    before = keys()
    assert keys() == before
    (tmp_path / "mynet.py").write_text(FACTORY.replace("ReLU", "GELU"))
    assert not keys() & before


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("def perceptron(", "SyntaxError"),
        ("import nowhere", "No module named 'nowhere'"),
        ("", "has no attribute 'perceptron'"),
        ("perceptron = 3", "is no Model"),
    ],
)
def test_a_broken_file_is_one_line(tiny: Write, tmp_path: Path, text: str, cause: str) -> None:
    (tmp_path / "mynet.py").write_text(text)
    network = {"model": "mynet:perceptron", "data": "digits", "training": {"epochs": 1}}
    tiny(networks=[network])
    done = prunesweep("run", "tiny.yaml", cwd=tmp_path)
    assert done.returncode == 2
    said, line = done.stderr.splitlines()
    assert said == "this sweep runs code: mynet:perceptron from ./mynet.py"
    assert line.startswith("tiny.yaml:")
    assert cause in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mynet.py", "tiny.yaml"]


def test_a_network_that_fails_is_told_and_not_guessed_at(tiny: Write, tmp_path: Path) -> None:
    (tmp_path / "mynet.py").write_text(FACTORY.replace("64 *", "63 *"))
    network = {"model": "mynet:perceptron", "data": "digits", "training": {"epochs": 1}}
    tiny(networks=[network], seeds=[0])
    planned = prunesweep("plan", "tiny.yaml", cwd=tmp_path)
    assert planned.returncode == 0
    assert "no estimate for perceptron-digits: " in planned.stdout
    assert "shapes cannot be" in planned.stdout
    ran = prunesweep("run", "tiny.yaml", "--executor", "local", "--no-report", cwd=tmp_path)
    assert ran.returncode == 1
    assert "1 chain failed; try again with: prunesweep run tiny.yaml --executor local" in ran.stderr
    assert "Traceback" not in ran.stderr
