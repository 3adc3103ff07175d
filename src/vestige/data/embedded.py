"""The data sets that scikit-learn carries along: no file, no download."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float64
from sklearn import datasets

from vestige.data.dataset import Dataset

DIGIT_LEVELS = 16.0  # the digits' pixels run from 0 to 16


def digits() -> Dataset:
    """1,797 handwritten digits as 64 pixels on the scale 0 to 1, minus each pixel's mean."""
    inputs, bunch = _bunch(datasets.load_digits)
    pixels = inputs / DIGIT_LEVELS
    return _dataset("digits", pixels - pixels.mean(0), bunch)


def digit_images() -> Dataset:
    """The digits as [1 8 8] images, for convolutional models."""
    return _images(digits(), "digit_images")


def digit_pixels() -> Dataset:
    """The digits as [1 8 8] images on the scale 0 to 1, nothing subtracted."""
    inputs, bunch = _bunch(datasets.load_digits)
    return _images(_dataset("digits", inputs / DIGIT_LEVELS, bunch), "digit_pixels")


def _images(flat: Dataset, name: str) -> Dataset:
    return replace(flat, inputs=flat.inputs.reshape(-1, 1, 8, 8), name=name)


def breast_cancer() -> Dataset:
    """569 tumors with 30 standardized measurements, 2 classes."""
    return _standardized("breast_cancer", datasets.load_breast_cancer)


def wine() -> Dataset:
    """178 wines with 13 standardized measurements, 3 classes."""
    return _standardized("wine", datasets.load_wine)


def iris() -> Dataset:
    """150 flowers with 4 standardized measurements, 3 classes."""
    return _standardized("iris", datasets.load_iris)


def _standardized(name: str, load: Callable[[], Any]) -> Dataset:
    inputs, bunch = _bunch(load)
    return _dataset(name, (inputs - inputs.mean(0)) / inputs.std(0), bunch)


def _bunch(load: Callable[[], Any]) -> tuple[Float64[np.ndarray, "samples features"], Any]:
    bunch = load()
    return np.asarray(bunch.data, np.float64), bunch


def _dataset(name: str, inputs: Float64[np.ndarray, "samples features"], bunch: Any) -> Dataset:
    names = tuple(str(n) for n in bunch.target_names)
    return Dataset(
        inputs.astype(np.float32), np.asarray(bunch.target, np.int64), len(names), name, class_names=names
    )
