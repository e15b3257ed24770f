"""Images of none of the network's classes, for the detection of outliers.

Hendrycks & Gimpel (2017), "A Baseline for Detecting Misclassified and Out-of-Distribution
Examples", tell them by the confidence of a network; Liu et al. (2020), "Energy-based
Out-of-distribution Detection", by the logarithm of the sum of exp(logits).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workers.images.other_test_set import OtherTestSet


@dataclass(frozen=True, kw_only=True)
class Outliers(OtherTestSet):
    """The test images of another data set of the same shape, whose labels are of no interest.

    ``data`` names it as a sweep names data: ``svhn``, or ``{imagefolder: {…}}``. Two tasks on the
    same kind of files need a ``name`` each, which their labels end in.
    """

    labelled: ClassVar[bool] = False
