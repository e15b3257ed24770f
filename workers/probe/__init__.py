"""What an untrained network tells beforehand: its cost, its memory, the measures it suits."""

from workers.probe.cost import probe, seconds_each
from workers.probe.fit import misfits
from workers.probe.memory import memory_share

__all__ = ["memory_share", "misfits", "probe", "seconds_each"]
