"""Plain convolutional networks in the style of VGG (Simonyan and Zisserman, 2015)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from workers.architectures.initialisation import initialise_convolutions


class Vgg(nn.Module):
    """3x3 convolutions with batch normalisation, and one linear layer.

    ``layout`` names the layers in order: a number of filters, or M for a max pooling that halves
    the size. The last feature map is averaged, so that any image large enough for the poolings
    will do.
    """

    def __init__(
        self,
        *,
        layout: Sequence[int | str],
        channels: int,
        classes: int,
        bias: bool = False,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for item in layout:
            if isinstance(item, int):
                conv = nn.Conv2d(inputs, item, 3, padding=1, bias=bias)
                layers += [conv, nn.BatchNorm2d(item), nn.ReLU()]
                inputs = item
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.linear = nn.Linear(inputs, classes)
        initialise_convolutions(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w) to logits (n, classes)."""
        logits: Tensor = self.linear(self.features(x).mean(dim=(2, 3)))
        return logits
