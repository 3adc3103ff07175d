"""Several queries of one sample (augmentations) become one score."""

import numpy as np
from jaxtyping import Float64


def average(values: Float64[np.ndarray, "samples augmentations"]) -> Float64[np.ndarray, "samples"]:
    """The mean over the queries of each sample."""
    return values[:, 0] if values.shape[1] == 1 else values.mean(1)
