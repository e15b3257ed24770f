"""How durations are spelt."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Spell a duration in its two largest units: ``2 h 05 min``, ``4 min 10 s``, ``35 s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours:02} h"
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
