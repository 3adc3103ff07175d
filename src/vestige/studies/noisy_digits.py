"""Small digits in noise so strong that a plain network overfits by a quarter."""

from dataclasses import replace

import numpy as np

from vestige.core import seeds
from vestige.data.dataset import Dataset
from vestige.data.embedded import digit_pixels

SD = 0.4


def noisy_digits() -> Dataset:
    """The digits as images from 0 to 1 with Gaussian noise of 0.4, clipped to that range, not normalized.

    Kaya and Dumitras 2021 feed pixels from 0 to 1 too: what noise, crops and the distance to confident mean
    depends on that scale.
    """
    clean = digit_pixels()
    noise = seeds.generator(0, "noisy digits").normal(0.0, SD, clean.inputs.shape)
    inputs = np.clip(clean.inputs + noise, 0.0, 1.0).astype(np.float32)
    return replace(clean, inputs=inputs, name="noisy_digits")
