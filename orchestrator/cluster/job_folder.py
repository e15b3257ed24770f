"""The folder that Ray unpacks for a job, and deletes: nothing that is to last may go there."""

from __future__ import annotations

from pathlib import Path

from orchestrator.cluster.errors import ClusterError


def in_job_folder(place: Path | str) -> bool:
    """Tell whether ``place`` lies in such a folder."""
    return "runtime_resources" in Path(place).parts


def expect_lasting(store: Path | str) -> None:
    """Refuse a store that would go with the job.

    Raises:
        ClusterError: it would.

    """
    if in_job_folder(store):
        raise ClusterError(
            f"the store {store} would go with this job: name a folder that all machines share or "
            "s3://…, by PRUNESWEEP_STORE on the cluster or by --set store=…"
        )


def report_folder(sweep: str, store: Path | str) -> Path:
    """Say where a report goes by default: the current folder, and of a job the store.

    The report of a job whose store is no folder lasts only in MLflow.
    """
    lasting = in_job_folder(Path.cwd()) and "://" not in str(store)
    return Path(store if lasting else ".") / "reports" / sweep
