"""What a caller gave of each sample, checked."""

import numpy as np
from jaxtyping import Int64, Shaped
from numpy.typing import ArrayLike

from vestige.core import check
from vestige.core.errors import InputError
from vestige.data.arrays import as_array

LARGEST = float(np.finfo(np.float32).max)  # squares of squares of what single precision holds do not overflow


def class_per_sample(labels: ArrayLike, samples: int) -> Int64[np.ndarray, "samples"]:
    """The labels, if they are a whole number for each sample.

    Raises InputError otherwise.
    """
    return check.whole_numbers("labels", as_array(labels, "labels"), samples)


def row_per_sample(name: str, values: ArrayLike, samples: int) -> Shaped[np.ndarray, "samples ..."]:
    """The values, if they are a row of real numbers for each sample, finite and in the range of float32.

    Raises InputError otherwise.
    """
    found = as_array(values, name)
    if found.ndim < 2 or len(found) != samples or not found.size:
        raise InputError(
            f"{name} has shape {found.shape}; give ({samples}, features), a row of numbers for each sample"
        )
    if found.dtype.kind not in "biuf":
        raise InputError(f"{name} has type {found.dtype}; give real numbers, a row for each sample")
    flat = found.reshape(samples, -1)
    within = (flat.min(1) >= -LARGEST) & (flat.max(1) <= LARGEST)  # never of NaN
    if not within.all():
        sample = int(np.flatnonzero(~within)[0])
        worst = next(x for x in flat[sample].tolist() if not abs(x) <= LARGEST)
        raise InputError(
            f"{name}: sample {sample} has {worst:g}; remove the sample or fill in a finite number"
        )
    return found
