"""Tune's trial scheduler as one that forgets: first come, first served, and nothing kept after.

Tune keeps every trial that ended, with its last result and a JSON copy of its state, to restore the
experiment one day, and goes through all of them at every step. Here the store knows what is done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler

from orchestrator.cluster.searcher import Unsaved


class Forgetful(Unsaved, FIFOScheduler):
    """Runs trials in the order of their suggestion; the driver's memory stays flat."""

    def __init__(self, before_retry: Callable[[Any], None]) -> None:
        """Call ``before_retry`` with a trial that failed, before it waits for its resources again.

        Only there may those be changed: Tune looks up what waits by what it waits for.
        """
        super().__init__()
        self._before_retry = before_retry

    def on_trial_complete(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """Forget the trials that ended before this one."""
        _forget(tune_controller, trial)

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        """Forget the trials that ended before this one, which may be tried again."""
        _forget(tune_controller, trial)
        # Tune calls this for the last failure too, and then before it says that the trial ended.
        if trial.status == Trial.ERROR:
            self._before_retry(trial)


def _forget(controller: Any, besides: Any) -> None:
    """Take the ended trials from a ``TuneController``, which has no interface for it."""
    ended = (controller._stopped_trials | controller._failed_trials) - {besides}
    ended -= controller._trial_to_actor.keys()
    for kept in (
        controller._stopped_trials,
        controller._failed_trials,
        controller._live_trials,
        controller._trials_to_cache,
    ):
        kept -= ended
    # In place: callbacks and reporters hold the list.
    controller._trials[:] = [trial for trial in controller._trials if trial not in ended]
    for trial in ended:
        controller._trial_metadata.pop(trial.trial_id, None)
