"""What libraries publish: names to choose from, and weights that may fit only in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from workers.contracts import PermanentError
from workers.nearest import nearest
from workers.registry import UnknownPlugInError


class UnknownNameError(UnknownPlugInError, PermanentError):
    """A library has no network or weights of that name; the message offers the nearest ones."""


def expect_name(name: str, known: Sequence[str], kind: str) -> None:
    """Refuse a ``name`` that is not among those ``known`` for its ``kind``.

    Raises:
        UnknownNameError: it is not; offers the nearest, or else the first few.

    """
    if name in known:
        return
    raise UnknownNameError(f"unknown {kind} '{name}', {nearest(name, known)}")


def load_fitting(network: nn.Module, published: Mapping[str, Tensor]) -> None:
    """Load, in place, what has the name and shape of a tensor of ``network``; the rest stays."""
    own = network.state_dict()
    fitting = {n: t for n, t in published.items() if n in own and own[n].shape == t.shape}
    network.load_state_dict(fitting, strict=False)
