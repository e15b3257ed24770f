"""Measures the networks of a chain against each other, once all of them are there."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256

import numpy as np
import torch

from workers.contracts import Event, MeasureCell, MissingNetworkError, Subject
from workers.evaluation.readings import READINGS, to_parquet
from workers.images.normalisation import normalise
from workers.registry import MEASURES
from workers.run.site import Site


@dataclass(frozen=True)
class SiteProbe:
    """What one measure works with, at the place of a chain."""

    site: Site
    cell: MeasureCell

    @property
    def device(self) -> torch.device:
        """Where networks and images are."""
        return self.site.device

    @cached_property
    def generator(self) -> torch.Generator:
        """Seeded by the data and the name of the measure, which is in its key; not by its label."""
        return _generator(f"{self.site.chain.fingerprint}/{self.cell.measure.name}")

    def network(self, subject: Subject) -> torch.nn.Module:
        """Load a network in evaluation mode."""
        return self.site.stored(subject.key).eval()

    def test_images(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Choose test images by the data alone."""
        test, train = self.site.data.test, self.site.data.train
        order = torch.randperm(len(test.labels), generator=_generator(self.site.chain.fingerprint))
        chosen = np.sort(order[:count].numpy())
        pixels = torch.from_numpy(np.array(test.pixels[chosen])).to(self.device)
        labels = torch.from_numpy(np.array(test.labels[chosen])).to(self.device)
        return normalise(pixels, train.mean, train.std), labels


def measure(site: Site, cell: MeasureCell) -> None:
    """Commit what ``cell`` finds on the chain, unless it is there."""
    if site.store.has(cell.key):
        return
    with site.store.lease(cell.key, site.wait):
        if site.store.has(cell.key):
            return
        start = time.perf_counter()
        _check_separate(site, cell)
        subjects = _with_achieved_ratios(site)
        plug_in = MEASURES.create(cell.measure)
        readings = list(plug_in.measure(subjects, SiteProbe(site, cell)))
        record = {
            "kind": "measure",
            "created": time.time(),
            "chain": site.chain.name,
            "measure": cell.label,
            "subjects": [subject.key for subject in subjects],
            "seconds": time.perf_counter() - start,
            "environment": site.environment(),
        }
        site.store.put(cell.key, record, {READINGS: to_parquet(readings)})
    site.report(Event(chain=site.chain.name, kind="measure", detail=cell.label))


def _check_separate(site: Site, cell: MeasureCell) -> None:
    separate = site.chain.separate
    if separate and not site.store.has(separate):
        raise MissingNetworkError(
            f"{cell.label} compares with the dense network of another seed, which is not there: "
            f"{separate}"
        )


def _with_achieved_ratios(site: Site) -> list[Subject]:
    return [
        replace(one, ratio=site.store.record(one.key)["achieved_ratio"])
        for one in site.chain.subjects
    ]


def _generator(name: str) -> torch.Generator:
    digest = sha256(name.encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little"))
