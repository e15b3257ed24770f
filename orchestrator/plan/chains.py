"""The chains of a network: its dense parents, and what is pruned from each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.plan.content import described, described_recipe, fingerprint
from orchestrator.plan.keys import (
    checkpoint_payload,
    content_key,
    level_payload,
    measure_payload,
    parent_payload,
)
from orchestrator.spec.labels import label
from workers.contracts import Chain, Checkpoint, Level, MeasureCell
from workers.registry import DATA_SETS, MEASURES, MODELS

if TYPE_CHECKING:
    from orchestrator.plan.keys import Payload
    from orchestrator.spec import NetworkSpec, Rung, SweepSpec
    from workers.contracts import Component, Schedule, Training

    Methods = Sequence[tuple[Component, Payload]]


def dense_chains(spec: SweepSpec, network: NetworkSpec) -> Iterator[Chain]:
    """Yield a chain for every seed, which trains the parent and keeps what will be rewound to.

    Raises:
        DataError: data are missing whose content the keys depend on.

    """
    model, data = described(MODELS, network.model), described(DATA_SETS, network.data)
    training = described_recipe(network.training)
    content = fingerprint(network.data, spec.data_root, network.place or spec.source)
    for seed in spec.seeds:
        payload = parent_payload(model, data, content, training, seed, spec.parity)
        parent = content_key(payload)
        yield Chain(
            name=f"{network.name}/s{seed}/dense",
            network=network.name,
            model=network.model,
            data=network.data,
            fingerprint=content,
            seed=seed,
            training=network.training,
            parent=parent,
            checkpoints=tuple(_checkpoints(parent, spec.schedules)),
            parity=spec.parity,
        )


def _checkpoints(parent: str, schedules: Sequence[Schedule]) -> Iterator[Checkpoint]:
    rewinding = (one for one in schedules if one.retraining == "weight_rewinding")
    for epoch in sorted({schedule.epoch for schedule in rewinding}):
        yield Checkpoint(key=content_key(checkpoint_payload(parent, epoch)), epoch=epoch)


def pruned_chains(
    spec: SweepSpec, parent: Chain, methods: Methods, retraining: Training
) -> Iterator[Chain]:
    """Yield a chain for every method and schedule, pruned from the dense chain ``parent``."""
    for method, payload in methods:
        for schedule in spec.schedules:
            recipe = _recipe(retraining, schedule)
            yield replace(
                parent,
                name=f"{parent.network}/s{parent.seed}/{label(method)}/{schedule.label}",
                waits_for=(parent.name,),
                method=method,
                retraining=recipe,
                schedule=schedule,
                levels=tuple(
                    _levels(spec.ladder, parent, payload, schedule, described_recipe(recipe))
                ),
                checkpoints=(),
                rewinds_to=_rewinds_to(parent, schedule),
            )


def measured(spec: SweepSpec, chain: Chain, separate: Chain) -> Chain:
    """Let the sweep's measures look at ``chain``, beside the parent of another seed if any."""
    if not spec.measures:
        return chain
    if separate.parent != chain.parent:
        waits_for = (*chain.waits_for, separate.name)
        chain = replace(chain, waits_for=waits_for, separate=separate.parent)
    keys = [subject.key for subject in chain.subjects]
    cells = (
        MeasureCell(
            key=content_key(
                measure_payload(described(MEASURES, one.measure), keys, chain.fingerprint)
            ),
            label=one.label,
            measure=one.measure,
        )
        for one in spec.measures
    )
    return replace(chain, measures=tuple(cells))


def _recipe(retraining: Training, schedule: Schedule) -> Training:
    if schedule.retraining == "finetuning":
        return replace(retraining, lr=schedule.lr, schedule="constant", warmup=0.0)
    return retraining


def _rewinds_to(parent: Chain, schedule: Schedule) -> Checkpoint | None:
    if schedule.retraining != "weight_rewinding":
        return None
    return next(one for one in parent.checkpoints if one.epoch == schedule.epoch)


def _levels(
    ladder: Sequence[Rung], parent: Chain, method: Payload, schedule: Schedule, retraining: Payload
) -> Iterator[Level]:
    base = parent.parent
    steps: tuple[float, ...] = ()
    for rung in ladder:
        steps = rung.steps if schedule.order == "cascade" else (*steps, *rung.steps)
        ratios = (*steps, rung.ratio)
        payload = level_payload(base, method, ratios, retraining, schedule, parent.parity)
        key = content_key(payload)
        yield Level(key=key, base=base, ratio=rung.ratio, steps=steps)
        if schedule.order == "cascade":
            base = key
