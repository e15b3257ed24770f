"""A Ray session: joined where ``RAY_ADDRESS`` names a cluster, else started on this machine."""

from __future__ import annotations

import logging
import math
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ray

from orchestrator.execution.executor import sigterm_interrupts

if TYPE_CHECKING:
    from orchestrator.cluster.executor import RayExecutor

DRIVER_ENVIRONMENT = {
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_prestart_worker_first_driver": "0",  # one process per CPU, none of which trials use
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Tune's handler waits for the epoch in flight
    "TUNE_GLOBAL_CHECKPOINT_S": "60",
    "TUNE_MAX_PENDING_TRIALS_PG": "16",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}


@contextmanager
def session(executor: RayExecutor) -> Iterator[None]:
    """Hold a Ray session, joined or started unless there is one already."""
    os.environ.update(DRIVER_ENVIRONMENT)
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    # Or Ray prints a paragraph for each worker that dies, which the retry's event says in a line.
    ray._private.worker._worker_logs_enabled = False
    ours = not ray.is_initialized()
    # Twice: while Ray starts it takes SIGTERM for itself, and restores nothing.
    with sigterm_interrupts():
        try:
            if ours:
                with _interrupts_deferred():
                    _start(executor)
            with sigterm_interrupts():
                yield
        finally:
            if ours:
                ray.shutdown()


@contextmanager
def _interrupts_deferred() -> Iterator[None]:
    """Put Ctrl-C off until the end: in the middle of its start it can crash Ray.

    Ray's own handler of SIGTERM, set while it starts, raises SystemExit; that counts as Ctrl-C too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    except SystemExit:
        came.append(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _start(executor: RayExecutor) -> None:
    workers = executor.workers
    local: dict[str, Any] = {
        "address": "local",
        "num_cpus": math.ceil(workers * executor.cpus) if workers else None,
        "include_dashboard": False,
    }
    ray.init(
        **({} if on_cluster() else local),
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={
            "env_vars": {
                "OMP_NUM_THREADS": str(executor.threads),
                "TUNE_FUNCTION_THREAD_TIMEOUT_S": "600",  # else a slow reset loses the trial
            }
        },
    )


def on_cluster() -> bool:
    """Tell whether the environment names a cluster to join."""
    return bool(os.environ.get("RAY_ADDRESS"))
