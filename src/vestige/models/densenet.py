"""DenseNet-BC."""

import torch
from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.image_shape import channels_of

STAGES = 3
BOTTLENECK = 4  # width of the 1x1 convolution in multiples of the growth (Huang et al. 2017, section 3)


def densenet(
    shape: tuple[int, ...], num_classes: int, depth: int = 100, growth: int = 12, dropout: float = 0.0
) -> nn.Sequential:
    """DenseNet-BC (Huang et al. 2017) with three dense stages and compression by one half.

    Depth 100 with growth 12 has 0.77 million parameters for 3 channels and 10 classes. Raises InputError
    unless depth is 6 n + 4, and below 8 x 8 pixels.
    """
    channels = channels_of("densenet", shape, smallest=8)
    if depth < 10 or (depth - 4) % 6:
        raise InputError(f"depth={depth} must be 6 n + 4, such as 40, 100 or 190")
    check.at_least("growth", growth, 1)
    check.within("dropout", dropout, 0.0, 0.99)
    width = 2 * growth
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1, bias=False)]
    for stage in range(STAGES):
        for _ in range((depth - 4) // (2 * STAGES)):
            layers.append(DenseBlock(width, growth, dropout))
            width += growth
        if stage < STAGES - 1:
            layers.append(_transition(width))
            width //= 2
    layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, num_classes))


class DenseBlock(nn.Module):
    """Appends `growth` channels, computed through a 1x1 bottleneck, to its input."""

    def __init__(self, channels: int, growth: int, dropout: float) -> None:
        super().__init__()
        narrow = BOTTLENECK * growth
        self.new_channels = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.ReLU(),
            nn.Conv2d(narrow, growth, 3, padding=1, bias=False),
            nn.Dropout(dropout),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """[batch channels height width] to [batch channels+growth height width]."""
        return torch.cat([inputs, self.new_channels(inputs)], dim=1)


def _transition(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels // 2, 1, bias=False),
        nn.AvgPool2d(2),
    )
