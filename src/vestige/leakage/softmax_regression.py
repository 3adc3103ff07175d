"""Leakage of softmax regression, record by record: also of the last layer of a network on frozen features."""

from numpy.typing import ArrayLike

from vestige.core import check
from vestige.leakage.leakage import Leakage
from vestige.leakage.linear_shift import Indices, chosen_records, released, row_space
from vestige.leakage.logistic_regression import METHODS
from vestige.leakage.randomness import GaussianOutput, Randomness, RandomSubset, require
from vestige.leakage.softmax_model import SoftmaxFits, class_labels, softmax_fit
from vestige.leakage.softmax_shift import one_step_distances, refitted_distances
from vestige.leakage.subset import random_subset


def softmax(
    X: ArrayLike,
    y: ArrayLike,
    weight: int | float,
    randomness: Randomness | None = None,
    method: str = "alo",
    *,
    prior: float = 0.5,
    records: Indices | None = None,
    renormalize: bool = True,
) -> Leakage:
    """The leakage of each record through softmax regression, in nats.

    X: [records features]. y: [records], classes 0, 1, ... The objective is the mean cross-entropy of logits
    theta x, theta [classes features] without intercept, plus weight/2 |theta|^2.
    method: "alo" takes one Newton step with the Hessian without the record, "influence" with that of all
    records (too small where records have leverage), "exact" fits again without each (name few records).
    RandomSubset has no use for it: its training sets are all fitted.
    records: indices of those wanted, all by default.
    renormalize: removal averages over one record less; False keeps the ridge term of the sum as it is.

    Needs memory for two matrices of (classes * features)^2 numbers.

    Raises InputError for other labels, weight <= 0, an unknown method, or any other randomness.
    """
    require(randomness, GaussianOutput, RandomSubset)
    check.one_of("method", method, METHODS)
    inputs, labels = class_labels(X, y)
    inputs = row_space(inputs)
    chosen = chosen_records(records, len(inputs))
    if isinstance(randomness, RandomSubset):
        fits = SoftmaxFits(inputs, labels, weight)
        return random_subset(fits, len(inputs), randomness, records=chosen).leakage(prior)
    assert isinstance(randomness, GaussianOutput)
    fit = softmax_fit(inputs, labels, weight)
    if method == "exact":
        distances = refitted_distances(fit, chosen, renormalize=renormalize)
        return released(distances, randomness, prior, "exact")
    distances = one_step_distances(fit, chosen, corrected=method == "alo", renormalize=renormalize)
    return released(distances, randomness, prior, "estimate")
