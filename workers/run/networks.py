"""Makes the networks of a chain: the dense parent, or one pruned network after the other.

All randomness of a network comes from its key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from workers.checkpoint import build
from workers.contracts import Checkpoint, Component, Event, Level, Samples, Training
from workers.pruning.prune import PruneResult, prune, result_of
from workers.registry import METHODS, MODELS
from workers.run.site import Site
from workers.training.seeding import seed_everything
from workers.training.train import TrainingResult, train

Made = tuple[nn.Module, dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    """One network of a chain: its key, its level (0 is the parent), and how to make it.

    ``make`` returns the network, trained, and the record that it is committed with. ``lease`` is
    the key that keeps others from the same work. A checkpoint is not evaluated.
    """

    key: str
    level: int
    make: Callable[[], Made]
    lease: str
    evaluated: bool = True


def stages(site: Site) -> Iterator[Stage]:
    """List what a chain makes, in order; every network starts from one that comes earlier."""
    chain = site.chain
    if chain.method is None or chain.retraining is None:
        for checkpoint in chain.checkpoints:
            make = partial(_checkpoint, site, checkpoint)
            yield Stage(checkpoint.key, 0, make, lease=chain.parent, evaluated=False)
        yield Stage(chain.parent, 0, partial(_dense, site), lease=chain.parent)
        return
    for index, level in enumerate(chain.levels, start=1):
        make = partial(_pruned, site, level, index, chain.method, chain.retraining)
        yield Stage(level.key, index, make, lease=level.key)


def _dense(site: Site) -> Made:
    key, recipe = site.chain.parent, site.chain.training
    network, seed = _fresh_parent(site)
    trained = _train(site, network, recipe, scratch=key, seed=seed, level=0)
    return network, _record(site, "parent", recipe, trained) | _size(network, 0.0)


def _checkpoint(site: Site, checkpoint: Checkpoint) -> Made:
    """Train the parent so far; if it is not there yet, it will go on from here."""
    recipe = site.chain.training
    network, seed = _fresh_parent(site)
    made = site.store.has(site.chain.parent)
    scratch = checkpoint.key if made else site.chain.parent
    trained = _train(
        site, network, recipe, scratch=scratch, seed=seed, level=0, until=checkpoint.epoch
    )
    return network, _record(site, "checkpoint", recipe, trained) | {"epoch": checkpoint.epoch}


def _fresh_parent(site: Site) -> tuple[nn.Module, int]:
    made_as = site.made_as  # loads the data, which may draw random numbers of its own
    seed = seed_everything(site.chain.parent)
    network = build(made_as).to(site.device)
    MODELS.create(site.chain.model).load_published(network)
    return network, seed


def _pruned(site: Site, level: Level, index: int, method: Component, recipe: Training) -> Made:
    made_as = site.made_as  # loads the data, which may draw random numbers of its own
    seed = seed_everything(level.key)
    network = site.stored(level.base)
    samples = site.samples(network, seed, recipe)
    pruned = _prune(network, level, method, samples, seed, site.delta)
    network, start = _retrained_from(site, network, made_as)
    trained = _train(
        site,
        network,
        recipe,
        scratch=level.key,
        seed=seed,
        level=index,
        masks=pruned.masks,
        start=start,
    )
    pretends = METHODS.get(method.name).pretends
    return network, _record(site, "level", recipe, trained) | _size(
        network, level.ratio, pretends=pretends
    ) | {
        "base": level.base,
        "schedule": site.chain.schedule.label if site.chain.schedule else "",
        "samples": sum(len(labels) for _, labels in samples),
    }


def _prune(
    network: nn.Module,
    level: Level,
    method: Component,
    samples: Samples,
    seed: int,
    delta: float,
) -> PruneResult:
    """Prune to every compress-only step of the level, then to its ratio."""
    source = torch.Generator().manual_seed(seed)
    how = partial(prune, samples=samples, generator=source, delta=delta)
    for ratio in (*level.steps, level.ratio):
        result = how(network, METHODS.create(method), ratio)
    return result


def _retrained_from(
    site: Site, pruned: nn.Module, made_as: Mapping[str, Any]
) -> tuple[nn.Module, int]:
    """Choose the weights that retraining starts from, and the epoch of its recipe."""
    schedule, rewinds_to = site.chain.schedule, site.chain.rewinds_to
    if rewinds_to is not None:
        return site.stored(rewinds_to.key), rewinds_to.epoch
    if schedule is not None and schedule.retraining == "scratch":
        return build(made_as).to(site.device), 0
    return pruned, 0


def _train(
    site: Site,
    network: nn.Module,
    recipe: Training,
    *,
    scratch: str,
    seed: int,
    level: int,
    masks: Mapping[str, Tensor] | None = None,
    start: int = 0,
    until: int | None = None,
) -> TrainingResult:
    progress = partial(Event, chain=site.chain.name, kind="epoch", level=level)
    site.report(progress(done=0, total=recipe.epochs - start))

    def on_epoch(done: int, total: int, loss: float) -> None:
        site.report(progress(done=done, total=total, detail=f"loss {loss:.3f}"))

    return train(
        network,
        site.data.train,
        recipe,
        seed=seed,
        device=site.device,
        masks=masks,
        start=start,
        until=until,
        resume=site.store.scratch(scratch),
        checkpoint_seconds=site.runtime.checkpoint_seconds,
        on_epoch=on_epoch,
    )


def _size(network: nn.Module, ratio: float, *, pretends: bool = False) -> dict[str, Any]:
    """Measure what is left after training, which may bring zeros back to life."""
    result = result_of(network, ratio, pretends=pretends)
    return {
        "requested_ratio": result.requested,
        "achieved_ratio": result.achieved,
        "within_tolerance": result.within_tolerance,
        "parameters": result.parameters,
        "nonzero": result.nonzero,
    }


def _record(site: Site, kind: str, recipe: Training, trained: TrainingResult) -> dict[str, Any]:
    return {
        "kind": kind,
        "created": time.time(),
        "chain": site.chain.name,
        "network": site.made_as,
        "fingerprint": site.chain.fingerprint,
        "training": asdict(recipe),
        "loss": trained.losses,
        "epochs": len(trained.losses),
        "seconds": trained.seconds,
        "environment": site.environment(),
    }
