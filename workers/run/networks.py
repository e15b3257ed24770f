"""Makes the networks of a chain: the dense parent, or one pruned network after the other.

All randomness of a network comes from its key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

from workers.checkpoint import build
from workers.contracts import Component, Event, Level, Method, Training
from workers.pruning.prunable import count
from workers.pruning.prune import PruneResult, prune
from workers.registry import METHODS, MODELS
from workers.run.site import Site
from workers.training.seeding import seed_everything
from workers.training.train import TrainingResult, train

Made = tuple[nn.Module, dict[str, Any]]


@dataclass(frozen=True)
class Stage:
    """One network of a chain: its key, its level (0 is the parent), and how to make it.

    ``make`` returns the network, trained, and the record that it is committed with.
    """

    key: str
    level: int
    make: Callable[[], Made]


def stages(site: Site) -> Iterator[Stage]:
    """List what a chain makes, in order; every network starts from one that comes earlier."""
    chain = site.chain
    if chain.method is None or chain.retraining is None:
        yield Stage(chain.parent, 0, partial(_dense, site))
        return
    for index, level in enumerate(chain.levels, start=1):
        make = partial(_pruned, site, level, index, chain.method, chain.retraining)
        yield Stage(level.key, index, make)


def _dense(site: Site) -> Made:
    key, recipe = site.chain.parent, site.chain.training
    seed = seed_everything(key)
    network = build(site.made_as).to(site.device)
    MODELS.create(site.chain.model).load_published(network)
    trained = _train(site, network, recipe, key=key, seed=seed, level=0)
    size = count(network)
    return network, _record(site, "parent", recipe, trained) | {
        "requested_ratio": 0.0,
        "achieved_ratio": 0.0,
        "within_tolerance": True,
        "parameters": size.parameters,
        "nonzero": size.nonzero,
    }


def _pruned(site: Site, level: Level, index: int, method: Component, recipe: Training) -> Made:
    seed = seed_everything(level.key)
    network = site.stored(level.base)
    pruned = _prune(site, network, level, METHODS.create(method), seed)
    trained = _train(
        site, network, recipe, key=level.key, seed=seed, level=index, masks=pruned.masks
    )
    return network, _record(site, "level", recipe, trained) | {
        "base": level.base,
        "requested_ratio": pruned.requested,
        "achieved_ratio": pruned.achieved,
        "within_tolerance": pruned.within_tolerance,
        "parameters": pruned.parameters,
        "nonzero": pruned.nonzero,
    }


def _prune(site: Site, network: nn.Module, level: Level, method: Method, seed: int) -> PruneResult:
    """Prune to every compress-only step of the level, then to its ratio."""

    def prune_to(ratio: float) -> PruneResult:
        samples = site.data.train.samples(seed) if method.needs_samples else ()
        return prune(network, method, ratio, samples=samples)

    for step in level.steps:
        prune_to(step)
    return prune_to(level.ratio)


def _train(
    site: Site,
    network: nn.Module,
    recipe: Training,
    *,
    key: str,
    seed: int,
    level: int,
    masks: Mapping[str, Tensor] | None = None,
) -> TrainingResult:
    progress = partial(Event, chain=site.chain.name, kind="epoch", level=level)

    def on_epoch(done: int, total: int, loss: float) -> None:
        site.report(progress(done=done, total=total, detail=f"loss {loss:.3f}"))

    return train(
        network,
        site.data.train,
        recipe,
        seed=seed,
        device=site.device,
        masks=masks,
        resume=site.store.scratch(key),
        checkpoint_seconds=site.runtime.checkpoint_seconds,
        on_epoch=on_epoch,
    )


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
