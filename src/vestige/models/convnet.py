"""A small convolutional network."""

from torch import nn

from vestige.core import check
from vestige.models.image_shape import channels_of


def convnet(
    shape: tuple[int, ...],
    num_classes: int,
    stages: int = 3,
    width: int = 32,
    batch_norm: bool = False,
    dropout: float = 0.0,
    spatial_dropout: float = 0.0,
) -> nn.Sequential:
    """Stages of 3x3 convolution (width, 2 width, 4 width, ...), halving max-pool and ReLU; then Linear.

    batch_norm: normalize after each convolution. dropout: before the linear layer. spatial_dropout: of whole
    channels, after each stage.
    Reads images of at least 2**stages pixels on a side; raises InputError for others.
    """
    check.at_least("stages", stages, 1)
    channels = channels_of(f"convnet-{stages}", shape, smallest=2**stages)
    check.at_least("width", width, 1)
    check.within("dropout", dropout, 0.0, 0.99)
    check.within("spatial_dropout", spatial_dropout, 0.0, 0.99)
    layers: list[nn.Module] = []
    for stage in range(stages):
        out = width << stage
        layers.append(nn.Conv2d(channels, out, 3, padding=1, bias=not batch_norm))
        if batch_norm:
            layers.append(nn.BatchNorm2d(out))
        # pooling first gives the same numbers, as both are monotone, and ReLU then sees a quarter of them
        layers += [nn.MaxPool2d(2), nn.ReLU()]
        if spatial_dropout > 0:
            layers.append(nn.Dropout2d(spatial_dropout))
        channels = out
    layers.append(nn.Flatten())
    if dropout > 0:
        layers.append(nn.Dropout(dropout))
    features = channels * (shape[1] >> stages) * (shape[2] >> stages)
    return nn.Sequential(*layers, nn.Linear(features, num_classes))
