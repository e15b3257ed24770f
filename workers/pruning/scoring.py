"""Asks a method for its scores, and refuses what cannot be ranked."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from workers.contracts import Method, PermanentError, Samples
from workers.pruning.allocation.layer import ScoredLayer, costs
from workers.pruning.prunable import prunable_weights
from workers.pruning.size import layer_shapes


class PruneError(PermanentError):
    """A network or scores that cannot be pruned by."""


def scored_layers(
    network: nn.Module,
    method: Method,
    samples: Samples,
    generator: torch.Generator,
    delta: float,
) -> list[ScoredLayer]:
    """Score the units of every prunable layer of ``network``, which is in evaluation mode.

    The arguments are those of ``workers.pruning.prune``.

    Raises:
        PruneError: nothing is prunable, samples are missing, or the scores are unusable.

    """
    weights = prunable_weights(network)
    spared = _spared(list(weights), method)
    if len(spared) == len(weights):
        raise PruneError("the network has no prunable layer (Conv2d without groups, or Linear)")
    if method.needs_samples and not samples:
        raise PruneError(f"{_name(method)} needs samples: give the data set a holdout above 0")
    scores = method.scores(network, samples, generator)
    shapes = layer_shapes(network, samples[0][0][:1]) if samples else {}
    layers = []
    for name, weight in weights.items():
        cost = costs(weight.detach(), method.unit)
        score = _checked(scores, name, cost, method)
        # A method that watches layers knows nothing of one whose weight is used past it.
        unseen = method.needs_samples and name not in shapes and not bool(score.any())
        layers.append(
            ScoredLayer(
                name=name,
                weight=weight.detach(),
                unit=method.unit,
                score=score.masked_fill(cost == 0, 0),
                cost=cost,
                spared=name in spared or unseen,
                patches=shapes[name].patches if name in shapes else 1,
                delta=delta,
            )
        )
    return layers


def _spared(names: list[str], method: Method) -> set[str]:
    match method.spares:
        case "first":
            return set(names[:1])
        case "last":
            return set(names[-1:])
    return set()


def _checked(scores: Mapping[str, Tensor], name: str, cost: Tensor, method: Method) -> Tensor:
    if name not in scores or scores[name].shape != cost.shape:
        expected = f"expected scores of shape {list(cost.shape)} for {name}"
        raise PruneError(f"{_name(method)}: {expected}")
    if not scores[name].isfinite().all():
        raise PruneError(f"{_name(method)}: the scores of {name} are not finite")
    return scores[name].detach()


def _name(method: Method) -> str:
    return type(method).__name__
