"""AutoAttack, the standard evaluation of robustness.

Croce & Hein (2020), "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse
Parameter-free Attacks".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workers.contracts import Attack, PermanentError

if TYPE_CHECKING:
    import torch

LINE = 5
"""Forward passes of the final search of FAB."""


@dataclass(frozen=True, kw_only=True)
class AutoAttackEnsemble(Attack):
    """The worst of APGD-CE, targeted APGD-DLR, targeted FAB and the square attack.

    Each attacks the images that the network still gets right after those before it. The defaults
    are the version ``standard`` of the paper's code; in l2 ε = 0.5 is usual for CIFAR-10. The cost
    is that of a network that withstands: some 10,000 passes, of which each image that falls saves
    the rest.

    Raises:
        ValueError: ``epsilon`` is negative, or ``steps``, ``targets`` or ``queries`` below 1.

    """

    norm: Literal["linf", "l2"] = "linf"
    steps: int = 100
    targets: int = 9
    queries: int = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("steps", "targets", "queries"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")

    @property
    def gradients(self) -> int:
        """One per step and target, and of APGD one at the start of each walk."""
        return (1 + self.targets) * (self.steps + 1) + self.targets * self.steps

    @property
    def passes(self) -> float:
        """Gradients, what FAB checks after every step and on its final line, and queries."""
        return super().passes + 1 + self.targets * (self.steps + LINE) + self.queries

    def attack(
        self,
        predict: Callable[[torch.Tensor], torch.Tensor],
        pixels: torch.Tensor,
        labels: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Attack the images that the network gets right; of the others nothing changes.

        Raises:
            PermanentError: there are fewer than four classes, or label maps in place of labels.

        """
        from workers.attacks.auto_attack import auto_attack

        if labels.ndim > 1 or predict(pixels[:1]).shape[1] < 4:
            raise PermanentError(
                "autoattack needs images of one class each, of at least four; try pgd"
            )
        return auto_attack(
            predict,
            pixels,
            labels,
            generator,
            norm=self.norm,
            epsilon=self.epsilon,
            steps=self.steps,
            targets=self.targets,
            queries=self.queries,
        )
