"""One variance per side for all samples, when there are too few references for one per sample."""

import numpy as np
from jaxtyping import Float64

from vestige.attacks.quantity import Quantity
from vestige.attacks.view import AttackView

Variance = Float64[np.ndarray, "1 augmentations"]


def pooled_variances(
    view: AttackView, quantity: Quantity, *, shared: bool = False
) -> tuple[Variance, Variance]:
    """The within-sample variance of IN and of OUT references, pooled over all samples of the view.

    Each is the sum of squared deviations from the sample's own mean, divided by the sum of (count - 1), per
    query; `shared` pools both sides into one. A side on which no sample has two references borrows the
    other's; with neither, both are 1, which leaves the ranking by a likelihood ratio well defined.
    """
    (in_squares, in_freedom), (out_squares, out_freedom) = view.summed_squares(quantity)
    if shared or not in_freedom or not out_freedom:
        freedom = in_freedom + out_freedom
        variance = (in_squares + out_squares) / freedom if freedom else np.ones_like(in_squares)
        return variance, variance
    return in_squares / in_freedom, out_squares / out_freedom
