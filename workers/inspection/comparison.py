"""Which networks of a chain are compared layer by layer, and on what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from workers.contracts import Probe, Reading, Subject
from workers.inspection.activations import sample_activations

Summary = TypeVar("Summary")


def compare_layers(
    subjects: Sequence[Subject],
    probe: Probe,
    *,
    images: int,
    quantity: str,
    summarise: Callable[[Tensor], Summary],
    similarity: Callable[[Summary, Summary], float],
) -> Iterator[Reading]:
    """Compare every pruned network with the parent and with the separate network if there is one.

    The separate network is compared with the parent too: what two networks have in common that
    share nothing but the data. The parent and the separate network stay in memory, of the pruned
    ones one at a time.

    Args:
        subjects: the networks, all of one architecture.
        probe: gives the networks, the test images and the seed of the positions.
        images: how many test images to look at.
        quantity: what the readings are called.
        summarise: from the activations (rows, neurons) of a layer to what is kept of them.
        similarity: of two summaries of the same rows.

    Yields:
        For every pair a reading of each layer, in the order of the layers.

    """
    pixels, _ = probe.test_images(images)
    seed = int(torch.randint(2**62, (), generator=probe.generator))

    def summaries(subject: Subject) -> dict[str, Summary]:
        sampled = sample_activations(probe.network(subject), pixels, seed)
        return {layer: summarise(rows) for layer, rows in sampled.items()}

    references: dict[int, dict[str, Summary]] = {}
    order = sorted(range(len(subjects)), key=lambda index: subjects[index].role == "pruned")
    for index in order:
        own = summaries(subjects[index])
        for other, reference in references.items():
            for layer, summary in own.items():
                value = similarity(summary, reference[layer])
                yield Reading(
                    subject=index, quantity=quantity, value=value, against=other, part=layer
                )
        if subjects[index].role != "pruned":
            references[index] = own
