"""What the documents show is true: their files are there, their examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from orchestrator.plan import make_plan
from orchestrator.spec.loading import load_sweep
from workers.registry import Registry

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def block(document: Path, language: str, mark: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", document.read_text(), re.DOTALL)
    return next(found for found in blocks if mark in found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_exists(document: Path) -> None:
    text = document.read_text()
    links = re.findall(r"\]\(([^)#]+)\)|(?:src|srcset)=\"([^\"]+)\"", text)
    files = [link or source for link, source in links if "://" not in link + source]
    assert all((document.parent / file).exists() for file in files), files


def test_the_sweep_in_the_readme_loads_but_for_what_it_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("{}")
    file = tmp_path / "sweep.yaml"
    file.write_text(block(ROOT / "README.md", "yaml", "name: my-sweep"))
    spec = load_sweep(file)
    assert len(spec.ladder) == 9
    assert len(make_plan(spec).chains) == 5 + 5 * 5


def test_the_network_in_the_readme_is_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets.py").write_text(block(ROOT / "README.md", "python", "nets.py"))
    monkeypatch.syspath_prepend(tmp_path)
    from workers.registry import MODELS

    network = MODELS.get("nets:small")(width=8).build(channels=1, classes=10)
    assert sum(p.numel() for p in network.parameters()) == 8 * 9 + 8 + 2 * 8 + 8 * 10 + 10


def test_the_method_in_the_recipe_is_a_method(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = block(ROOT / "CONTRIBUTING.md", "python", "SquaredMagnitude")
    (tmp_path / "squared.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    from torch import nn

    from workers.contracts import Method

    methods: Registry[Method] = Registry("method", Method, "workers.pruning.methods")
    network = nn.Linear(2, 1, bias=False)
    scores = methods.get("squared:SquaredMagnitude")().scores(network, (), torch.Generator())
    assert scores["weight"].equal(network.weight.detach() ** 2)
