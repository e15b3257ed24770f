"""Prunes a network to a ratio: scores, allocation, masks.

The prune ratio is 1 − nonzero / parameters over *all* parameters (Lost in Pruning, MLSys 2021).
Biases and normalisation count in the total and are never pruned; the bias of a removed filter
stays, as in the paper. Weights that are exactly 0 count as pruned and are masked, as there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from workers.contracts import Method, PermanentError
from workers.pruning.allocation import allocate
from workers.pruning.prunable import apply_masks, count, masks_of, prunable_weights

TOLERANCE = 0.005
"""Accepted distance between the requested and the achieved keep ratio, relative to the former."""


class PruneError(PermanentError):
    """A network or scores that cannot be pruned by."""


@dataclass(frozen=True)
class PruneResult:
    """What pruning did.

    Attributes:
        masks: for each prunable parameter a tensor of 0 and 1 in its shape, dtype and device.
        requested: the ratio asked for.
        achieved: 1 − nonzero / parameters.
        within_tolerance: whether the achieved ratio is within ``TOLERANCE`` of the requested one,
            relative to what is pruned and, as in Lost in Pruning, to what is kept; half a weight
            is never a miss.
        parameters: entries of all parameters.
        nonzero: how many of them differ from 0.

    """

    masks: dict[str, Tensor]
    requested: float
    achieved: float
    within_tolerance: bool
    parameters: int
    nonzero: int


def prune(
    network: nn.Module,
    method: Method,
    ratio: float,
    *,
    samples: Iterable[Tensor] = (),
) -> PruneResult:
    """Mask the lowest-scored weights of ``network``, in place, until its prune ratio is ``ratio``.

    What is 0 already stays pruned, so the masks of a cascade are nested. Where filters are too
    coarse for the ratio, or nothing prunable is left on the way to it, the nearest ratio is taken
    and ``within_tolerance`` is false.

    Args:
        network: pruned in place; every parameter keeps its shape.
        method: scores the weights or filters.
        ratio: fraction of all parameters to be 0, in [0, 1).
        samples: normalised batches, for methods that need them.

    Raises:
        PruneError: ``ratio`` is outside [0, 1), nothing is prunable, or the scores are unusable.

    """
    if not 0 <= ratio < 1:
        raise PruneError(f"cannot prune to ratio {ratio}, expected at least 0 and below 1")
    before = count(network)
    target = round((1 - ratio) * before.parameters)
    if before.nonzero > target:
        removed = _allocate(network, method, samples, before.nonzero - target)
        _remove(network, removed, structured=method.structured)
    after = count(network)
    keep = after.nonzero / after.parameters
    return PruneResult(
        masks=masks_of(network),
        requested=ratio,
        achieved=1 - keep,
        within_tolerance=abs(after.nonzero - (1 - ratio) * after.parameters)
        <= max(TOLERANCE * min(ratio, 1 - ratio) * after.parameters, 0.5),
        parameters=after.parameters,
        nonzero=after.nonzero,
    )


def _allocate(
    network: nn.Module, method: Method, samples: Iterable[Tensor], amount: int
) -> list[Tensor]:
    weights = _reached(network, structured=method.structured)
    scores = _scores(network, method, samples)
    nonzero = [w.detach() != 0 for w in weights.values()]
    costs = [n.flatten(1).sum(1) for n in nonzero] if method.structured else nonzero
    return allocate(
        [scores[name] for name in weights],
        costs,
        amount,
        allocation=method.allocation,
        keep_one=method.structured,
    )


def _reached(network: nn.Module, *, structured: bool) -> dict[str, nn.Parameter]:
    """The weights a method may prune: filters of the last layer are the logits and stay."""
    weights = prunable_weights(network)
    if structured and weights:
        weights.popitem()
    if not weights:
        raise PruneError("the network has no prunable layer (Conv2d without groups, or Linear)")
    return weights


def _scores(network: nn.Module, method: Method, samples: Iterable[Tensor]) -> Mapping[str, Tensor]:
    """Score in evaluation mode, and refuse what cannot be ranked."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        scores = method.scores(network, samples)
    finally:
        for module, training in modes.items():
            module.training = training
    for name, weight in prunable_weights(network).items():
        expected = weight.shape[:1] if method.structured else weight.shape
        if name not in scores or scores[name].shape != expected:
            raise PruneError(
                f"{_name(method)}: expected scores of shape {list(expected)} for {name}"
            )
        if not scores[name].isfinite().all():
            raise PruneError(f"{_name(method)}: the scores of {name} are not finite")
    return {name: score.detach() for name, score in scores.items()}


@torch.no_grad()
def _remove(network: nn.Module, removed: Sequence[Tensor], *, structured: bool) -> None:
    weights = _reached(network, structured=structured)
    keep = {
        name: (~gone).to(w.dtype).view(gone.shape + (1,) * (w.dim() - gone.dim())).expand_as(w)
        for (name, w), gone in zip(weights.items(), removed, strict=True)
    }
    apply_masks(network, keep)


def _name(method: Method) -> str:
    return type(method).__name__
