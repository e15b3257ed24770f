"""Prometheus and Grafana are given files that they can read, about metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from orchestrator.cluster.metrics import EXPORTED
from tests.cluster.compose.document import load
from tests.cluster.compose.image import ROOT
from tests.cluster.compose.service import services

DOCKER = ROOT / "docker"
PROVISIONING = DOCKER / "grafana" / "provisioning"
(DASHBOARD,) = (DOCKER / "grafana" / "dashboards").glob("*.json")
METRIC = re.compile(r"\b(?:ray|autoscaler)_\w+")
EXPRESSION_VARIABLES = {"$sweep": ".*", "$__rate_interval": "1m"}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def expressions() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"]


def exported_by_ray() -> set[str]:
    from ray.dashboard.modules.reporter.reporter_agent import METRICS_GAUGES

    return {f"ray_{name}" for name in METRICS_GAUGES}


def mounts(name: str) -> dict[str, str]:
    document = load([DOCKER / "compose.yaml"], {})
    return {mount.target: mount.source for mount in services(document)[name].mounts}


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool")
def test_prometheus_can_read_its_file() -> None:
    words = ["promtool", "check", "config", "--lint-fatal", str(DOCKER / "prometheus.yml")]
    said = subprocess.run(words, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


def test_prometheus_looks_for_nodes_where_ray_lists_them() -> None:
    from ray._private.ray_constants import PROMETHEUS_SERVICE_DISCOVERY_FILE

    (job,) = yaml.safe_load((DOCKER / "prometheus.yml").read_text())["scrape_configs"]
    (found,) = job["file_sd_configs"]
    assert found["files"] == [f"/tmp/ray/{PROMETHEUS_SERVICE_DISCOVERY_FILE}"]
    for name in ("prometheus", "ray-head"):
        assert mounts(name)["/tmp/ray"] == "ray"


def test_every_metric_of_the_dashboard_is_exported() -> None:
    shown = {name for text in expressions() for name in METRIC.findall(text)}
    assert shown <= {*EXPORTED, *exported_by_ray()}
    assert shown >= set(EXPORTED) - {
        "ray_prunesweep_networks_total",
        "ray_prunesweep_measures_total",
    }


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool")
def test_every_expression_of_the_dashboard_is_one(tmp_path: Any) -> None:
    rules = []
    for number, expression in enumerate(expressions()):
        for name, value in EXPRESSION_VARIABLES.items():
            expression = expression.replace(name, value)
        rules.append({"record": f"panel{number}", "expr": expression})
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    said = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"SUCCESS: {len(rules)} rules found" in said.stdout


def test_the_dashboard_has_what_grafana_asks_for() -> None:
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    board = dashboard()
    assert board["schemaVersion"] >= 36  # since then a data source is told by type and uid
    assert board["uid"]
    assert board["title"]
    assert "id" not in board  # Grafana's own, by which two files would overwrite each other
    expected = {"type": source["type"], "uid": source["uid"]}
    (variable,) = board["templating"]["list"]
    users = [variable, *board["panels"]]
    users += [target for panel in board["panels"] for target in panel["targets"]]
    assert all(user["datasource"] == expected for user in users)
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    cells: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        x, y, width, height = (panel["gridPos"][side] for side in "xywh")
        assert x + width <= 24
        area = {(x + i, y + j) for i in range(width) for j in range(height)}
        assert not area & cells, panel["title"]
        cells |= area


def test_grafana_finds_its_files() -> None:
    folders = mounts("grafana")
    assert (DOCKER / folders["/etc/grafana/provisioning"]).resolve() == PROVISIONING
    providers = yaml.safe_load((PROVISIONING / "dashboards" / "dashboards.yml").read_text())
    ours, rays = (provider["options"]["path"] for provider in providers["providers"])
    assert (DOCKER / folders[ours]).resolve() == DASHBOARD.parent
    assert rays.startswith("/tmp/ray/")
    assert folders["/tmp/ray"] == "ray"
