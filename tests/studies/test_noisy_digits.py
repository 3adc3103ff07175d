import numpy as np
import pytest

from vestige.data.embedded import digit_images, digit_pixels
from vestige.studies.noisy_digits import noisy_digits


def test_the_noise_is_clipped_and_always_the_same():
    clean, noisy = digit_pixels(), noisy_digits()
    assert noisy.inputs.min() == 0.0
    assert noisy.inputs.max() == 1.0
    middle = (clean.inputs > 0.4) & (clean.inputs < 0.6) & (noisy.inputs > 0) & (noisy.inputs < 1)
    assert np.abs(noisy.inputs - clean.inputs)[middle].max() > 0.4
    black = clean.inputs == 0
    assert (noisy.inputs[black] == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(noisy.inputs, noisy_digits().inputs)
    assert np.array_equal(noisy.targets, clean.targets)


def test_pixels_are_the_images_before_their_mean_is_taken_off():
    pixels, images = digit_pixels().inputs, digit_images().inputs
    assert np.allclose(pixels - pixels.mean(0), images, atol=1e-6)
    assert (pixels.min(), pixels.max()) == (0.0, 1.0)
