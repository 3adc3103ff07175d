"""Wide residual networks."""

from torch import Tensor, nn

from vestige.core import check
from vestige.core.errors import InputError
from vestige.models.image_shape import channels_of


def wide_resnet(
    shape: tuple[int, ...],
    num_classes: int,
    depth: int = 28,
    widen: int = 2,
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
) -> nn.Sequential:
    """WRN-depth-widen (Zagoruyko and Komodakis 2016): pre-activation blocks in three stages.

    WRN-28-2 has 1.47 and WRN-28-10 36.5 million parameters for 3 channels and 10 classes. dropout: between
    the convolutions of a block. spatial_dropout: of whole channels, after each block. Raises InputError
    unless depth is 6 n + 4, and below 8 x 8 pixels.
    """
    channels = channels_of("wide_resnet", shape, smallest=8)
    if depth < 10 or (depth - 4) % 6:
        raise InputError(f"depth={depth} must be 6 n + 4: 10, 16, 22, 28, 34, 40")
    check.at_least("widen", widen, 1)
    check.within("dropout", dropout, 0.0, 0.99)
    check.within("spatial_dropout", spatial_dropout, 0.0, 0.99)
    layers: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1, bias=False)]
    width = 16
    for out, stride in ((16 * widen, 1), (32 * widen, 2), (64 * widen, 2)):
        for block in range((depth - 4) // 6):
            layers.append(PreActivationBlock(width, out, stride if block == 0 else 1, dropout))
            if spatial_dropout > 0:
                layers.append(nn.Dropout2d(spatial_dropout))
            width = out
    layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(width, num_classes))


class PreActivationBlock(nn.Module):
    """Two times normalization, ReLU and 3x3 convolution, beside a shortcut.

    Where the shape changes, the shortcut is a 1x1 convolution of the activated input; else the input itself.
    """

    def __init__(self, channels: int, out: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.activation = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.residual = nn.Sequential(
            nn.Conv2d(channels, out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
        )
        changes = channels != out or stride != 1
        self.projection = nn.Conv2d(channels, out, 1, stride, bias=False) if changes else None

    def forward(self, inputs: Tensor) -> Tensor:
        """[batch channels height width] to [batch out height/stride width/stride]."""
        active = self.activation(inputs)
        shortcut = inputs if self.projection is None else self.projection(active)
        return shortcut + self.residual(active)
