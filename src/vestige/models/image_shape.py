"""What a convolutional model needs of an input's shape."""

from vestige.core.errors import InputError


def channels_of(model: str, shape: tuple[int, ...], smallest: int) -> int:
    """The channel count of a [channels height width] shape.

    Raises InputError for flat inputs, and for images with fewer than `smallest` pixels on a side.
    """
    if len(shape) != 3:
        raise InputError(
            f"{model} reads images [channels height width], but a sample has shape {shape}; use the model mlp"
        )
    if min(shape[1:]) < smallest:
        raise InputError(
            f"{model} needs images of at least {smallest} x {smallest} pixels, not {shape[1]} x {shape[2]}"
        )
    return shape[0]
