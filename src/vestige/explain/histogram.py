"""How members' scaled logits and those of others part over training."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.numbers import Numbers
from vestige.stats.roc import roc

BINS = 50
TAIL = 0.001  # of all values, that the first and the last bin take in from beyond the edges
Values = Float64[np.ndarray, "checkpoints _samples"]
Edges = Float64[np.ndarray, "_edges"]
Shares = Float64[np.ndarray, "checkpoints bins"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitHistograms:
    """Distributions of scaled logits, and how well one threshold for all samples tells them apart.

    edges: [edges], in logits, one more than bins, the same for all checkpoints. The first and the last bin
      also hold what lies beyond.
    members, nonmembers: [checkpoints bins], shares that sum to 1.
    auc, advantage: [checkpoints], of the rule "member where the scaled logit is high", 0 to 1; an AUC of
      0.5 and an advantage of 0 = chance.
    Shares and figures are NaN where a checkpoint has no values. notes: what a reader should know.
    """

    edges: Edges
    members: Shares
    nonmembers: Shares
    auc: Float64[np.ndarray, "checkpoints"]
    advantage: Float64[np.ndarray, "checkpoints"]
    notes: tuple[str, ...] = ()


def scaled_logit_histograms(members: Numbers, nonmembers: Numbers, bins: int = BINS) -> LogitHistograms:
    """The distributions of one model's members and non-members at each checkpoint.

    members, nonmembers: [checkpoints samples], scaled logits; NaN = unknown, left out.

    Raises InputError for other shapes, other numbers of checkpoints, or no finite value at all.
    """
    check.at_least("bins", bins, 1)
    inside, outside = _values("members", members), _values("nonmembers", nonmembers)
    if len(inside) != len(outside):
        raise InputError(
            f"members has {len(inside)} checkpoints and nonmembers {len(outside)}; give both at the same"
        )
    edges = _edges(np.concatenate([inside.ravel(), outside.ravel()]), bins)
    figures = np.array([_threshold(one, other) for one, other in zip(inside, outside, strict=True)])
    return LogitHistograms(
        edges=edges,
        members=_shares(inside, edges),
        nonmembers=_shares(outside, edges),
        auc=figures[:, 0],
        advantage=figures[:, 1],
        notes=_notes(inside, outside),
    )


def _values(name: str, values: Numbers) -> Values:
    found = np.asarray(values, np.float64)
    if found.ndim != 2 or 0 in found.shape:
        raise InputError(f"{name} has shape {found.shape}; give (checkpoints, samples), neither of them 0")
    return found


def _edges(pooled: Float64[np.ndarray, "_"], bins: int) -> Edges:
    finite = pooled[np.isfinite(pooled)]
    if not finite.size:
        raise InputError("members and nonmembers hold no finite scaled logit; give at least one")
    low, high = np.quantile(finite, [TAIL, 1 - TAIL])
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _shares(values: Values, edges: Edges) -> Shares:
    found = np.full((len(values), len(edges) - 1), np.nan)
    for checkpoint, row in enumerate(values):
        known = row[~np.isnan(row)]
        if known.size:
            found[checkpoint] = np.histogram(np.clip(known, edges[0], edges[-1]), edges)[0] / known.size
    return found


def _threshold(inside: Float64[np.ndarray, "_m"], outside: Float64[np.ndarray, "_n"]) -> tuple[float, float]:
    if np.isnan(inside).all() or np.isnan(outside).all():
        return np.nan, np.nan
    truth = np.arange(len(inside) + len(outside)) < len(inside)
    found = roc(np.concatenate([inside, outside]), truth)
    return found.auc, found.advantage


def _notes(inside: Values, outside: Values) -> tuple[str, ...]:
    unknown = int(np.isnan(inside).sum() + np.isnan(outside).sum())
    total = inside.size + outside.size
    return (f"{unknown} of {total} scaled logits are unknown and left out.",) if unknown else ()
