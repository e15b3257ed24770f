"""One trial in its worker process, and what the driver hears of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.progress_reporter import TrialProgressCallback

from orchestrator.cluster.packed import PackedChains
from orchestrator.cluster.searcher import Unsaved
from orchestrator.cluster.silence import Silence
from orchestrator.execution.executor import Trial, cause_of, throttled
from orchestrator.execution.frontier import Frontier
from workers.contracts import Event, PermanentError, Report, TaskCell


class Ear(Unsaved, TrialProgressCallback):
    """Hears of every trial in the driver: forwards its events, closes its chain.

    It takes the place of Tune's own progress, which prints nothing here but keeps every trial.
    """

    def __init__(self, frontier: Frontier, report: Report, silence: Silence) -> None:
        self._frontier = frontier
        self._report = report
        self._silence = silence

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Begin to listen."""
        self._silence.hear(trial)

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """End trials that hang; Tune calls this several times a second."""
        self._silence.check()

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Forward what happened."""
        self._silence.hear(trial)
        if "event" in result:
            self._report(Event(**result["event"]))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Close the chain; what can never work completes with a cause."""
        self._silence.forget(trial)
        self._frontier.end(trial.config["chain"], trial.last_result.get("cause"))

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Tell of the retry that follows."""
        self._report(Event(chain=trial.config["chain"], kind="retry", detail=self._cause(trial)))

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Close the chain, which was tried often enough."""
        self._frontier.end(trial.config["chain"], self._cause(trial))

    def _cause(self, trial: Any) -> str:
        said, hung = cause_of_end(trial), self._silence.forget(trial)
        return hung or said


def cause_of_end(trial: Any) -> str:
    """What the trial said last, or what Ray says of a process that died without a word.

    What it said is taken from it: Tune would keep it for the next try, which may die in silence.
    """
    if (cause := trial.last_result.pop("cause", None)) is not None:
        return str(cause)
    told = _last_failure(trial.error_file)
    return f"the worker process died: {told}" if told else "the worker process died"


def _last_failure(file: str | None) -> str:
    """The first line of the last failure in Ray's file, which Ray may not have written."""
    if file is None:
        return ""
    try:
        text = Path(file).read_text(errors="replace")
    except OSError:
        return ""
    lines = text.rpartition("Failure # ")[2].splitlines()
    return lines[1] if len(lines) > 1 else ""


def walk(
    config: dict[str, str],
    trial: Trial,
    chains: PackedChains,
    tasks: Sequence[TaskCell],
) -> None:
    """Run in a worker process; Tune ends it when this raises, so that a retry starts clean."""
    chain = chains[config["chain"]]
    try:
        _tell(Event(chain=chain.name, kind="start"))
        trial(chain, tasks, throttled(_tell))
    except PermanentError as error:
        tune.report({"cause": cause_of(error)})
    except Exception as error:
        tune.report({"cause": cause_of(error)})
        raise


def _tell(event: Event) -> None:
    tune.report({"event": asdict(event)})
