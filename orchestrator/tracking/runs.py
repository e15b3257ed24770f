"""The runs of one sweep in one MLflow experiment: found by tag, written only where they differ.

Only this file and ``reaching`` import MLflow.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from orchestrator.tracking.describe import sweep_tag
from orchestrator.tracking.location import SQLITE
from orchestrator.tracking.nest import SWEEP
from orchestrator.tracking.points import Point


@dataclass
class Run:
    """What MLflow says about a run; ``start`` and ``end`` in milliseconds since 1970.

    ``metrics`` are the latest values; ``points`` what this connection wrote while it is RUNNING.
    """

    id: str
    status: str
    start: int
    end: int | None
    parameters: dict[str, str]
    tags: dict[str, str]
    metrics: dict[str, float]
    points: set[Point] = field(default_factory=set)
    artifacts: set[str] = field(default_factory=set)


class Runs:
    """A connection to one experiment, which is created on first use."""

    def __init__(self, uri: str, experiment: str, artifacts: str | None) -> None:
        """Connect to ``uri``; MLflow makes a new database ready first, one process at a time."""
        # The second logs a traceback for what we tell in a line, as a disk that is full.
        chatty = (("alembic", logging.WARNING), ("mlflow.store.db.utils", logging.CRITICAL))
        for name, level in chatty:
            logging.getLogger(name).setLevel(level)
        if uri.startswith(SQLITE):
            _try_database(Path(uri.removeprefix(SQLITE).partition("?")[0]))
        self._client = MlflowClient(uri)
        self._experiment = self._open(experiment, artifacts)

    def find(self, sweep: str) -> list[Run]:
        """List every run of ``sweep``, the oldest first."""
        wanted = f'tags.`{SWEEP}` = "{sweep_tag(sweep)}"'
        page = self._client.search_runs([self._experiment], wanted)
        found = [_mirror(run) for run in page]
        while page.token:
            page = self._client.search_runs([self._experiment], wanted, page_token=page.token)
            found += [_mirror(run) for run in page]
        return sorted(found, key=lambda run: (run.start, run.id))

    def create(self, name: str, start: int, tags: Mapping[str, str]) -> Run:
        """Create a run called ``name``, in state RUNNING."""
        created = self._client.create_run(
            self._experiment, start_time=start, tags=dict(tags), run_name=name
        )
        return _mirror(created)

    def write(
        self,
        run: Run,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        points: Iterable[Point] = (),
    ) -> None:
        """Add parameters and metric points, and set tags; an empty tag is removed."""
        new_parameters = parameters.items() - run.parameters.items()
        new_tags = {name: tag for name, tag in tags.items() if run.tags.get(name, "") != tag}
        new_points = [point for point in points if point not in run.points]
        metrics = [Metric(p.key, p.value, p.timestamp, p.step) for p in new_points]
        for name in [name for name, tag in new_tags.items() if not tag]:
            self._client.delete_tag(run.id, name)
            del new_tags[name], run.tags[name]
        if metrics or new_parameters or new_tags:
            self._client.log_batch(
                run.id,
                metrics=metrics,
                params=[Param(name, value) for name, value in sorted(new_parameters)],
                tags=[RunTag(name, tag) for name, tag in new_tags.items()],
            )
        run.parameters.update(parameters)
        run.tags.update(new_tags)
        run.points.update(new_points)
        run.metrics.update({point.key: point.value for point in new_points})

    def conclude(self, run: Run, status: str, end: int | None) -> None:
        """Give ``run`` a status; a run that is not RUNNING ended at ``end``."""
        if status == "RUNNING" != run.status:
            self._client.update_run(run.id, status=status)
        elif status != "RUNNING" and (run.status, run.end) != (status, end):
            self._client.set_terminated(run.id, status, end)
        run.status, run.end = status, end
        if status != "RUNNING":
            run.points.clear()  # thousands of ended runs would fill the driver's memory

    def delete(self, run: Run) -> None:
        """Delete ``run``; MLflow keeps it restorable."""
        self._client.delete_run(run.id)

    def has(self, run: Run, artifact: str) -> bool:
        """Tell whether ``run`` has ``artifact``, a file's path."""
        if artifact not in run.artifacts:
            folder = artifact.rpartition("/")[0] or None
            run.artifacts |= {file.path for file in self._client.list_artifacts(run.id, folder)}
        return artifact in run.artifacts

    def read(self, run: Run, artifact: str) -> bytes:
        """Return the content of ``artifact``."""
        with TemporaryDirectory() as scratch:
            return Path(self._client.download_artifacts(run.id, artifact, scratch)).read_bytes()

    def attach(self, run: Run, artifact: str, content: bytes) -> None:
        """Write one artifact, in place of what was there under its name."""
        folder, _, name = artifact.rpartition("/")
        with TemporaryDirectory() as scratch:
            file = Path(scratch, name)
            file.write_bytes(content)
            self._client.log_artifact(run.id, str(file), folder or None)
        run.artifacts.add(artifact)

    def attach_folder(self, run: Run, folder: Path, under: str) -> None:
        """Write all files of ``folder`` under the artifact path ``under``."""
        self._client.log_artifacts(run.id, str(folder), under)

    def _open(self, name: str, artifacts: str | None) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name, artifacts, _KIND))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = self._client.get_experiment_by_name(name)
        elif found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


# Without it the UI opens on its pages for language models.
_KIND = {"mlflow.experimentKind": "custom_model_development"}


def _try_database(file: Path) -> None:
    """Fail at once where ``file`` cannot be written: MLflow would try for minutes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file, timeout=15)) as database:
        database.execute("BEGIN IMMEDIATE")


def _mirror(run: Any) -> Run:
    return Run(
        id=run.info.run_id,
        status=run.info.status,
        start=run.info.start_time,
        end=run.info.end_time,
        parameters=dict(run.data.params),
        tags=dict(run.data.tags),
        metrics=dict(run.data.metrics),
    )
