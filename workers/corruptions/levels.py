"""From floating-point pixels to 8-bit grey levels."""

LIFT = 2**-8 / 255
"""A 256th of a grey level, added to a weighted mean before it is truncated to 8 bits.

The mean of equal levels is that level; without this, float32 rounding, which differs between
devices, would often make it the level below.
"""
