"""Sensitivities: the largest part that a weight or a channel has in what a layer computes.

For a sample x, filter o, input channel c, kernel position k and output position p, the share of a
weight among the weights of its sign is g = W a / z, where z = Σ W a sums over c and k, without
bias; g = 0 where |z| ≤ float32 eps. A sample with negative inputs to a layer counts as two there,
relu(a) and relu(−a). Shares lie in [0, 1]. Sources: Baykal et al., SiPPing Neural Networks (2022),
and Liebenwein et al., Provable Filter Pruning (ICLR 2020), as in Lost in Pruning (MLSys 2021).
"""

from workers.pruning.sensitivity.channels import channel_sensitivity
from workers.pruning.sensitivity.weights import weight_sensitivity

__all__ = ["channel_sensitivity", "weight_sensitivity"]
