"""torchvision's DeepLabV3 (Chen et al., 2017) on a ResNet50."""

from __future__ import annotations

from torch import nn
from torchvision.models import segmentation

from workers.architectures.first_convolution import take_channels


def deeplabv3_resnet50(*, channels: int, classes: int) -> nn.Module:
    """Build it with fresh weights and an auxiliary head.

    It maps (n, channels, h, w) to a mapping of ``out`` and ``aux``, logits of shape
    (n, classes, h, w) each. Other than 3 ``channels``, the first convolution is made anew.
    """
    network: nn.Module = segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=classes, aux_loss=True
    )
    take_channels(network, channels)
    return network
