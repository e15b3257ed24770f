"""All checks of the machine that this runs on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from orchestrator.cluster.doctor.data import check_data
from orchestrator.cluster.doctor.finding import Finding
from orchestrator.cluster.doctor.machine import (
    ask_gpus,
    check_cpus,
    check_disk,
    check_gpus,
    check_shm,
    check_versions,
)
from orchestrator.cluster.doctor.ports import check_own_ports
from orchestrator.cluster.doctor.store import check_store
from orchestrator.cluster.doctor.subject import Subject
from orchestrator.cluster.doctor.tracking import check_tracking
from orchestrator.search_path import extend_search_path


def examine_here(subject: Subject) -> list[Finding]:
    """Examine a machine that runs the whole sweep by itself."""
    tracking = check_tracking(subject.uri, subject.experiment)
    return [*examine(subject), tracking, check_own_ports()]


def examine(subject: Subject, *, ours: bool = False) -> list[Finding]:
    """Examine a machine as one that trials run on; ``ours`` says that some hold its GPUs now."""
    extend_search_path(subject.folders)  # this may be another machine than the one that read it
    places = [subject.data_root, *([subject.folder] if subject.folder else [])]
    with ThreadPoolExecutor(1) as aside:
        asked = aside.submit(ask_gpus)  # seconds, in another process
        found = [
            *check_versions(),
            check_cpus(subject.cpus),
            *check_disk(places),
            check_shm(),
            check_store(subject.store),
            *check_data(subject.data, subject.data_root),
        ]
    seen = asked.result()
    gpus = [seen] if isinstance(seen, Finding) else check_gpus(seen, subject.gpus, ours=ours)
    return [*found, *gpus]
