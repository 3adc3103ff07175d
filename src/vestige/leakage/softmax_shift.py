"""How far the parameters of a softmax regression move when one record is removed."""

import numpy as np
from jaxtyping import Float64, Int64

from vestige.leakage.blocks import blocks
from vestige.leakage.newton import Factor, minimize
from vestige.leakage.softmax_model import SoftmaxFit, SoftmaxProblem

Chosen = Int64[np.ndarray, "chosen"]
Distances = Float64[np.ndarray, "chosen"]


def one_step_distances(
    fit: SoftmaxFit, chosen: Chosen, *, corrected: bool = True, renormalize: bool = True
) -> Distances:
    """|parameters with all records - parameters without one|, after one Newton step from the fit.

    Options as of `one_step_shift`. With M the Hessian of all records, the Hessian without record i is M less
    a matrix of rank (classes - 1), so that Woodbury's identity needs classes x classes blocks only.
    """
    removed = int(renormalize and corrected)
    factor = Factor(fit.hessian(len(fit.inputs) - removed))
    flat = fit.parameters.ravel()
    pull = factor.solve(fit.weight * flat) if renormalize else np.zeros_like(flat)
    classes, features = fit.parameters.shape
    inverse = factor.inverse().reshape(classes, features, -1)
    del factor
    parts = [chosen[part] for part in blocks(len(chosen), classes * classes * features)]
    return np.concatenate([_block(fit, inverse, pull, part, corrected) for part in parts])


def refitted_distances(
    fit: SoftmaxFit, chosen: Chosen, *, renormalize: bool = True, factor: Factor | None = None
) -> Distances:
    """|parameters with all records - parameters without one|, each fitted again to convergence.

    factor: of the fit's Hessian, made here if not given.
    """
    count = len(fit.inputs)
    weight = fit.weight if renormalize else fit.weight * count / (count - 1)
    # the Hessian of all records bounds that of all but one: one factor serves every fit
    factor = Factor(fit.hessian()) if factor is None else factor
    distances = [_refitted(fit, int(record), weight, factor) for record in chosen]
    return np.array(distances)


def _refitted(fit: SoftmaxFit, record: int, weight: float, factor: Factor) -> float:
    inputs, labels = np.delete(fit.inputs, record, axis=0), np.delete(fit.labels, record)
    classes, features = fit.parameters.shape
    problem = SoftmaxProblem(inputs, labels, weight, (classes, features))
    start = fit.parameters.ravel()
    found = minimize(start, problem.objective, lambda _, gradient: -factor.solve(gradient * len(inputs)))
    return float(np.linalg.norm(start - found))


def _block(
    fit: SoftmaxFit, inverse: np.ndarray, pull: np.ndarray, chosen: Chosen, corrected: bool
) -> Distances:
    inputs, slopes = fit.inputs[chosen], fit.slopes[chosen]
    classes, features = fit.parameters.shape
    solved = (
        inputs @ inverse
    )  # [classes chosen parameters]: the inverse times the input, placed at each class
    if corrected:
        leverages = solved.reshape(classes, len(chosen), classes, features) @ inputs[:, :, None]
        pulled = inputs @ pull.reshape(classes, features).T
        slopes = _without(fit.probabilities[chosen], slopes, leverages[..., 0].transpose(1, 0, 2), pulled)
    moved = np.einsum("nk,knp->np", slopes, solved) + pull
    return np.linalg.norm(moved, axis=1)


def _without(
    probabilities: np.ndarray, slopes: np.ndarray, leverages: np.ndarray, pulled: np.ndarray
) -> Float64[np.ndarray, "chosen classes"]:
    """slopes + W (I - T W)^-1 (T slopes + pulled), W the Hessians of the logits, T the leverages."""
    curvatures = -probabilities[:, :, None] * probabilities[:, None, :]
    diagonal = np.arange(probabilities.shape[1])
    curvatures[:, diagonal, diagonal] += probabilities
    system = np.eye(len(diagonal)) - leverages @ curvatures
    right = leverages @ slopes[:, :, None] + pulled[:, :, None]
    return slopes + (curvatures @ np.linalg.solve(system, right))[..., 0]
