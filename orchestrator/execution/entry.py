"""How much of one kind of work a chain has to do, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.plan.to_do import Work


@dataclass
class Entry:
    """What a chain has to do of one ``work``.

    Attributes:
        work: what a unit of it is.
        count: how many there are.
        levels: what is done for the network at each level, as it was told last.
        earlier: what was done at a level before the same level was begun anew, as where several
            checkpoints of one parent are trained one by one.
        doubtful: levels of a try that failed: the next may begin them anew, and then what they had
            is lost.

    """

    work: Work
    count: int
    levels: dict[int, int] = field(default_factory=dict)
    earlier: int = 0
    doubtful: set[int] = field(default_factory=set)

    @property
    def done(self) -> int:
        """All that is done; never more than there is to do."""
        return min(self.earlier + sum(self.levels.values()), self.count)

    def advance(self, level: int, done: int) -> int:
        """Note what is done at ``level``; returns how much of it is new."""
        before = self.levels.get(level, 0)
        if done < before and level not in self.doubtful:
            self.earlier += before
            before = 0
        self.doubtful.discard(level)
        self.levels[level] = done
        return max(done - before, 0)

    def doubt(self) -> None:
        """The try failed: any level may be begun anew."""
        self.doubtful = set(self.levels)

    def finish(self) -> None:
        """All is done, whoever did it."""
        self.levels, self.earlier = {0: self.count}, 0

    def abandon(self) -> None:
        """What is left undone no longer counts."""
        self.count = self.done
