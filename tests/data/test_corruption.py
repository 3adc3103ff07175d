"""Noise in the data: as much as was asked for, in the right units, and only where it was asked for."""

import dataclasses

import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.data import embedded
from vestige.data.corruption import with_canaries, with_input_noise, with_label_noise
from vestige.data.dataset import Dataset, Normalization

NORMALIZATION = Normalization((0.5, 0.2), (0.25, 0.1))


def floats(samples=400):
    inputs = np.random.default_rng(0).normal(size=(samples, 30)).astype(np.float32)
    return Dataset(inputs, np.arange(samples) % 4, 4, "toy")


def images(normalization=NORMALIZATION):
    pixels = np.random.default_rng(0).integers(0, 256, (60, 2, 12, 12), dtype=np.uint8)
    return Dataset(pixels, np.arange(60) % 3, 3, "pictures", normalization)


def test_float_inputs_get_gaussian_noise_of_that_size():
    noise = with_input_noise(floats(), 0.3, 1).inputs - floats().inputs
    assert noise.std() == pytest.approx(0.3, rel=0.03)
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert (np.abs(noise) < 0.3).mean() == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize("normalization", [None, NORMALIZATION])
def test_bytes_get_it_on_the_scale_0_to_1_before_normalization(normalization):
    clean, noisy = images(normalization), with_input_noise(images(normalization), 0.2, 1)
    mean, std = (normalization.mean, normalization.std) if normalization else ((0.0, 0.0), (1.0, 1.0))
    means, stds = (np.reshape(values, (2, 1, 1)) for values in (mean, std))
    on_scale = noisy.as_floats() * stds + means
    assert noisy.inputs.dtype == np.float32
    assert on_scale.min() == pytest.approx(0.0, abs=1e-6)
    assert on_scale.max() == pytest.approx(1.0, abs=1e-6)
    # where neither limit is in reach of the noise that moved the pixel, it is plain Gaussian noise
    for channel in range(2):
        pixels = clean.inputs[:, channel] / 255
        bright, dark = pixels > 0.6, pixels < 0.4
        fell = (pixels - on_scale[:, channel])[bright]
        rose = (on_scale[:, channel] - pixels)[dark]
        for moved in (fell, rose):
            assert np.sqrt((moved[moved > 0] ** 2).mean()) == pytest.approx(0.2, rel=0.06)
            assert (moved > 0).mean() == pytest.approx(0.5, abs=0.03)


def test_noise_of_almost_no_size_leaves_what_the_network_sees():
    np.testing.assert_allclose(
        with_input_noise(images(), 1e-9, 0).as_floats(), images().as_floats(), atol=1e-6
    )


@pytest.mark.parametrize(("rate", "count"), [(0.2, 80), (0.001, 0), (0.0049, 2), (1.0, 400)])
def test_exactly_so_many_labels_are_replaced_by_other_classes(rate, count):
    noisy, flipped = with_label_noise(floats(), rate, 3)
    assert flipped.sum() == count
    assert ((noisy.targets != floats().targets) == flipped).all()
    assert (noisy.inputs == floats().inputs).all()


def test_the_new_class_is_uniform_over_the_others():
    noisy, _ = with_label_noise(floats(40_000), 1.0, 3)
    steps = (noisy.targets - floats(40_000).targets) % 4
    assert np.bincount(steps, minlength=4)[1:] / 40_000 == pytest.approx([1 / 3] * 3, abs=0.01)
    assert (steps != 0).all()


def test_equal_seeds_repeat_and_others_differ():
    assert (
        with_input_noise(floats(), 0.3, 1).fingerprint() == with_input_noise(floats(), 0.3, 1).fingerprint()
    )
    assert (
        with_input_noise(floats(), 0.3, 1).fingerprint() != with_input_noise(floats(), 0.3, 2).fingerprint()
    )
    one, two = with_label_noise(floats(), 0.2, 1)[1], with_label_noise(floats(), 0.2, 2)[1]
    assert (one != two).any()


def test_names_ids_and_classes():
    chosen = floats().select(np.array([3, 1, 2, 7]))
    both, _ = with_label_noise(with_input_noise(chosen, 0.3, 0), 0.25, 0)
    assert both.name == "toy+input_noise0.3+label_noise0.25"
    assert both.ids.tolist() == [3, 1, 2, 7]
    named = dataclasses.replace(floats(), class_names=("a", "b", "c", "d"))
    assert with_input_noise(named, 0.1, 0).class_names == named.class_names


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: with_input_noise(floats(), 0.0, 0), "input_noise=0.0 must be a finite number above 0"),
        (lambda: with_input_noise(floats(), float("inf"), 0), "input_noise=inf"),
        (lambda: with_label_noise(floats(), 1.5, 0), "label_noise=1.5 must lie between"),
        (lambda: with_label_noise(floats(), -0.1, 0), "label_noise=-0.1"),
    ],
)
def test_bad_sizes_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_canaries_are_mislabelled_and_no_more_than_half():
    plain = embedded.digits()
    found, chosen = with_canaries(plain, 40, 3)
    assert chosen.sum() == 40
    assert (found.targets != plain.targets).tolist() == chosen.tolist()
    assert np.array_equal(with_canaries(plain, 40, 3)[1], chosen)
    assert not np.array_equal(with_canaries(plain, 40, 4)[1], chosen)
    with pytest.raises(InputError, match="half of the 1797"):
        with_canaries(plain, 899, 0)
