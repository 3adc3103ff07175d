"""VGG-16 for small images."""

from torch import nn

from vestige.core import check
from vestige.models.image_shape import channels_of

STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions


def vgg16(
    shape: tuple[int, ...], num_classes: int, dropout: float = 0.0, spatial_dropout: float = 0.0
) -> nn.Sequential:
    """The 13 convolutions of VGG-16 (Simonyan and Zisserman 2015) with batch norm and one linear layer.

    14.7 million parameters for 3 channels and 10 classes. dropout: before the linear layer. spatial_dropout:
    of whole channels, after each stage. Raises InputError below 16 x 16 pixels.
    """
    channels = channels_of("vgg16", shape, smallest=16)
    check.within("dropout", dropout, 0.0, 0.99)
    check.within("spatial_dropout", spatial_dropout, 0.0, 0.99)
    layers: list[nn.Module] = []
    for stage, (out, convolutions) in enumerate(STAGES):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
        last = stage == len(STAGES) - 1
        layers.append(nn.AdaptiveMaxPool2d(1) if last else nn.MaxPool2d(2))
        if spatial_dropout > 0:
            layers.append(nn.Dropout2d(spatial_dropout))
    layers.append(nn.Flatten())
    if dropout > 0:
        layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(channels, num_classes))
