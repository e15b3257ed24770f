"""Constants of the error bounds of SiPP and PFP, as in the code of Lost in Pruning (2021)."""

from __future__ import annotations

C = 3.0
"""The factor of the bounds."""
DELTA = 1e-16
"""The probability that they fail."""
MAP_DELTA = 1e-5
"""That probability in segmentation."""
