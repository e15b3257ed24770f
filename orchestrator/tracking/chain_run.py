"""The run of one chain: what it is given of the chain's committed networks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestrator.tracking import describe
from orchestrator.tracking.committed import WEIGHTS, Committed
from orchestrator.tracking.nest import PARENT, STATUS
from orchestrator.tracking.points import points, unpublished
from orchestrator.tracking.progress import Progress
from orchestrator.tracking.status import CAUSE, chain_status, conclude, now
from workers.contracts import Chain

if TYPE_CHECKING:
    from orchestrator.tracking.network import Network
    from orchestrator.tracking.runs import Run, Runs
    from orchestrator.tracking.view import View

POINTS = "mlflow.prunesweep.points"  # MLflow's UI hides what begins so
CARD = "network.json"


def publish_chain(
    view: View,
    committed: Committed,
    sweep: str,
    chain: Chain,
    parent: Chain | None,
    progress: Progress,
) -> str:
    """Give the run of ``chain`` what it lacks, and return its status.

    The run is made once something is committed or the chain is at work.

    Args:
        view: where to.
        committed: what there is.
        sweep: name of the sweep.
        chain: what to publish.
        parent: the chain of its dense parent, which begins its curves; None for that one itself.
        progress: of the live sweep.

    """
    runs, nest = view.runs, view.nest
    made = committed.networks(chain)
    shown = [*(committed.networks(parent) if parent else ()), *made]
    parameters = describe.chain_parameters(sweep, chain, view.tasks.table)
    parameters |= committed.measured(chain)
    for network in shown:
        parameters |= describe.network_parameters(network)
    run = nest.find(chain.name, parameters)
    status, cause = chain_status(chain, committed, run, progress)
    if run is None:
        if status == "partial" and not made:
            return status
        run = nest.create(chain.name, min((n.started for n in made), default=now()))
    readings = committed.readings(chain)
    wanted = [p for n in shown for p in points(n, view.tasks.families, readings.get(n.key))]
    new, digest = unpublished(wanted, run.tags.get(POINTS, ""))
    settled = run.status == "FINISHED" and parameters.keys() <= run.parameters.keys()
    runs.write(run, parameters, {}, new)
    if not settled:
        _attach(runs, run, chain, made, committed)
    tags = {
        PARENT: nest.sweep.id,
        STATUS: status,
        CAUSE: cause,
        POINTS: digest,
        "prunesweep.key": chain.networks[-1],
        **(describe.environment_tags(made[-1].record) if made else {}),
    }
    runs.write(run, {}, tags)
    conclude(runs, run, status, max((n.created for n in made), default=None))
    return status


def _attach(
    runs: Runs, run: Run, chain: Chain, made: Iterable[Network], committed: Committed
) -> None:
    for network in made:
        folder = f"networks/{network.name}"
        if not runs.has(run, f"{folder}/{CARD}"):
            card = json.dumps(describe.network_card(chain, network), indent=2)
            runs.attach(run, f"{folder}/{WEIGHTS}", committed.weights(network))
            runs.attach(run, f"{folder}/{CARD}", card.encode())  # last: it says all is there
