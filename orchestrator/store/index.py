"""What a store holds, by key: sorted out of one listing, without opening a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.store.objects import is_key
from orchestrator.store.storage import OBJECTS


@dataclass(frozen=True)
class Index:
    """What a store holds: keys of networks, and for each network the keys of its evaluations.

    Checkpoints and measures of networks are among ``networks``; they have no evaluations.
    """

    networks: frozenset[str]
    evaluations: Mapping[str, list[str]]


def keys_at(folders: Iterable[str]) -> Iterator[str]:
    """Name the objects at ``folders``, passing over what is no object, or in a wrong place."""
    for folder in folders:
        key = folder.rpartition("/")[2]
        if is_key(key) and folder == f"{OBJECTS}/{key[:2]}/{key}":
            yield key


def sorted_out(keys: Iterable[str]) -> Index:
    """Tell networks from evaluations."""
    networks: set[str] = set()
    evaluations: dict[str, list[str]] = {}
    for key in keys:
        network, dash, _ = key.partition("-")
        if dash:
            evaluations.setdefault(network, []).append(key)
        else:
            networks.add(network)
    return Index(frozenset(networks), evaluations)
