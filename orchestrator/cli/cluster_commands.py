"""``submit``, ``logs`` and ``stop``: sweeps on a Ray cluster, driven through its Jobs API."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.arguments import File, Sets, Uri, set_options, spell
from orchestrator.cli.cluster_sweep import Modules, checked, identity
from orchestrator.cli.output import complain, fail

if TYPE_CHECKING:
    from orchestrator.cluster.job import Identity, Job
    from orchestrator.cluster.jobs import Jobs

Address = Annotated[
    str,
    typer.Option(
        metavar="URL",
        envvar="RAY_API_SERVER_ADDRESS",
        help="The dashboard of the cluster, as http://head:8265.",
    ),
]
LOCAL = "http://127.0.0.1:8265"


def submit(
    file: File,
    sets: Sets = None,
    address: Address = LOCAL,
    module: Modules = None,
    tracking_uri: Uri = None,
    wait: Annotated[bool, typer.Option(help="Follow the log until the sweep ends.")] = True,
) -> None:
    """Run a sweep on a Ray cluster, and follow its log.

    Where it runs already, this attaches to it. The sweep is checked here first; its file, what it
    extends and your modules are uploaded. Ctrl-C ends the following, not the sweep.
    """
    from orchestrator.cluster.jobs import Jobs
    from orchestrator.cluster.shipment import pack

    spec = checked(file, sets)
    _expect_no_password(tracking_uri)
    tracking = ["--tracking-uri", tracking_uri] if tracking_uri else []
    with TemporaryDirectory() as folder:
        shipment = pack(spec, module or (), Path(folder))
        command = shipment.command("run", *set_options(sets), *tracking)
        jobs = Jobs(address)
        known = identity(spec)
        before = {job.id for job in jobs.of(known)}
        job = jobs.submit(known, command, shipment.folder, shipment.digest(command))
    verb = "attached to" if job.id in before else "submitted"
    complain(f"{verb} {job.id} on {address}")
    if wait:
        own = [word for path in module or () for word in ("--module", str(path))]
        _follow(jobs, job, file, sets, address, *own, *tracking)
    else:
        complain(f"follow it with: {spell('logs', file, sets, '--address', address)}")


def logs(
    file: File,
    sets: Sets = None,
    address: Address = LOCAL,
    follow: Annotated[bool, typer.Option(help="Go on until the sweep ends.")] = False,
) -> None:
    """Show the log of a sweep on a Ray cluster.

    It is that of the newest job of the sweep.
    """
    from orchestrator.cluster.jobs import Jobs

    jobs = Jobs(address)
    job = _newest(jobs, identity(checked(file, sets)))
    if follow:
        _follow(jobs, job, file, sets, address)
    else:
        print(jobs.log(job), end="")


def stop(file: File, sets: Sets = None, address: Address = LOCAL) -> None:
    """End a sweep on a Ray cluster.

    As with Ctrl-C here, what is committed is kept.
    """
    from orchestrator.cluster.jobs import Jobs

    jobs = Jobs(address)
    job = _newest(jobs, identity(checked(file, sets)))
    if not job.live:
        complain(f"{job.id} has ended already: {job.status.lower()}")
        return
    ended = jobs.stop(job)
    again = spell("submit", file, sets, "--address", address)
    complain(f"{ended.id} {ended.status.lower()}; what was committed is kept. Go on with: {again}")


def _expect_no_password(uri: str | None) -> None:
    from orchestrator.cluster.errors import ClusterError
    from orchestrator.tracking.location import censored

    if uri and censored(uri) != uri:
        raise ClusterError(
            "a password in --tracking-uri would show in the job's command line: set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD on the cluster"
        )


def _newest(jobs: Jobs, sweep: Identity) -> Job:
    """Return the newest job of ``sweep``.

    Raises:
        ClusterError: there is none.

    """
    from orchestrator.cluster.errors import ClusterError

    if found := jobs.of(sweep):
        return found[-1]
    raise ClusterError(f"the cluster at {jobs.address} has no job of the sweep '{sweep.sweep}'")


def _follow(
    jobs: Jobs, job: Job, file: Path, sets: list[str] | None, address: str, *options: str
) -> None:
    """Show the log until the end; ``options`` are those that another ``submit`` needs too."""
    from orchestrator.cluster.errors import ClusterSilentError
    from orchestrator.cluster.following import follow
    from orchestrator.cluster.waiting import PATIENCE

    more = spell("logs", file, sets, "--follow", "--address", address)
    try:
        ended = follow(jobs, job, lambda text: print(text, end="", flush=True))
    except ClusterSilentError:
        silent = f"the cluster at {address} has given no answer for {PATIENCE:g} s"
        fail(f"{silent}; the sweep may go on. Attach to it again with: {more}", 1)
    except KeyboardInterrupt:
        end = spell("stop", file, sets, "--address", address)
        fail(f"\nthe sweep goes on. Its log: {more}\nTo end it: {end}", 130)
    if ended.status != "SUCCEEDED":
        again = spell("submit", file, sets, "--address", address, *options)
        fail(f"{ended.id} {ended.status.lower()}: {ended.message}\nGo on with: {again}", 1)
