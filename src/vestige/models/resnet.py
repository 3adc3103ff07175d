"""ResNet-18 for small images."""

from torch import Tensor, nn

from vestige.core import check
from vestige.models.image_shape import channels_of

STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels, stride of the first block


def resnet18(shape: tuple[int, ...], num_classes: int, spatial_dropout: float = 0.0) -> nn.Sequential:
    """ResNet-18 (He et al. 2016) with a 3x3 stem and no first pooling, as is usual for 32x32 images.

    11.17 million parameters for 3 channels and 10 classes. spatial_dropout: of whole channels, after each
    block. Raises InputError below 8 x 8 pixels.
    """
    channels = channels_of("resnet18", shape, smallest=8)
    check.within("spatial_dropout", spatial_dropout, 0.0, 0.99)
    layers: list[nn.Module] = [_convolution(channels, 64), nn.BatchNorm2d(64), nn.ReLU()]
    width = 64
    for out, stride in STAGES:
        for block in (BasicBlock(width, out, stride), BasicBlock(out, out, 1)):
            layers.append(block)
            if spatial_dropout > 0:
                layers.append(nn.Dropout2d(spatial_dropout))
        width = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _convolution(channels, out, stride),
            nn.BatchNorm2d(out),
            nn.ReLU(),
            _convolution(out, out),
            nn.BatchNorm2d(out),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            projection = nn.Conv2d(channels, out, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(out))
        self.activation = nn.ReLU()

    def forward(self, inputs: Tensor) -> Tensor:
        """[batch channels height width] to [batch out height/stride width/stride]."""
        return self.activation(self.residual(inputs) + self.shortcut(inputs))


def _convolution(channels: int, out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
