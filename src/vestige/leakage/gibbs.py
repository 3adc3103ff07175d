"""Leakage of a draw from a Gibbs posterior: ridge in closed form, else from losses with and without."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy import special

from vestige.core import check
from vestige.core.errors import InputError
from vestige.leakage.bisection import largest
from vestige.leakage.entropy import entropy_of_presence
from vestige.leakage.leakage import Leakage
from vestige.leakage.normal_pair import normal_pair
from vestige.leakage.numbers import Numbers

Values = Float64[np.ndarray, "records"]
Table = Float64[np.ndarray, "models records"]
Mask = Bool[np.ndarray, "models records"]

TRUSTED = 10  # effective models below which an average of exp(-loss / T) rests on a few of them
HALVINGS = 45  # of the range of losses, to 3e-14 of it


def gibbs_ridge(
    leverage: Numbers, residual: Numbers, temperature: int | float, prior: float = 0.5
) -> Leakage:
    """The exact leakage of theta drawn in proportion to exp(-(sum 1/2 (x'theta - y)^2 + L/2 |theta|^2) / T).

    leverage: [*records], h = x' A^-1 x where A = X'X + L I **excludes** the record.
    residual: [*records], y - x'theta of the fit **without** the record.

    With the record only the law of x'theta changes, from N(y - r, T h) to N(y - r / (1 + h), T h / (1 + h)),
    so everything about the two posteriors is in these two normals.

    Raises InputError for a negative leverage, a temperature that is not above 0, or a prior outside (0, 1).
    """
    check.positive("temperature", temperature)
    h, r = np.asarray(leverage, np.float64), np.asarray(residual, np.float64)
    if np.any(h < 0):
        raise InputError(f"leverage={h.min()} must be at least 0: it is x' A^-1 x with A positive definite")
    moved = r * np.sqrt(h / temperature) / (1 + h)  # in standard deviations of the law without the record
    return normal_pair(moved, 1 / (1 + h), np.zeros_like(moved), np.ones_like(moved), prior)


@dataclass(frozen=True, eq=False, kw_only=True)
class LossGap:
    """What losses with and without each record tell, if models are draws from a Gibbs posterior; in nats.

    jeffreys: KL(P1 || P0) + KL(P0 || P1) = (mean loss without - mean loss with) / T. An unbiased estimate,
      so it may fall below 0. standard_error: of it, over models.
    mutual_information_bound: the smaller of prior * (1 - prior) * jeffreys and the entropy of presence, at
      least 0.
    log_normalizer: ln E_P0 exp(-loss / T) by Bennett's bridge over the models of both sides.
    log_normalizer_without: the same by the models without the record alone; trust it where
    effective_models, the effective number that this average rests on, is not small.
    kl, kl_reverse: the two divergences, with the bridge's normalizer; their sum is jeffreys.
    All [records]; NaN where a side has no model. notes: numerical trouble and assumptions.
    """

    jeffreys: Values
    standard_error: Values
    mutual_information_bound: Values
    log_normalizer: Values
    log_normalizer_without: Values
    effective_models: Values
    kl: Values
    kl_reverse: Values
    temperature: float
    notes: tuple[str, ...]


def loss_gap(losses: Numbers, membership: Numbers, temperature: int | float, prior: float = 0.5) -> LossGap:
    """The leakage that recorded losses imply under P1 in proportion to P0 exp(-loss / T).

    losses: [models records], nats; NaN where a model does not count. membership: [models records], whether
    the model was trained with the record. temperature: of the posterior. Networks have none: for them this
    is an analogy, and the result scales with the temperature that one assumes.

    Raises InputError for other shapes, infinite losses, a bad temperature or prior, or when no record has
    models on both sides.
    """
    check.positive("temperature", temperature)
    ceiling = entropy_of_presence(prior)
    scaled, inside, outside = _sides(losses, membership, float(temperature))
    count_in, count_out = inside.sum(0), outside.sum(0)
    usable = (count_in > 0) & (count_out > 0)
    if not usable.any():
        raise InputError("losses: no record has a model trained with it and one without; train more models")
    mean_in, error_in = _mean_and_error(scaled, inside)
    mean_out, error_out = _mean_and_error(scaled, outside)
    without, effective = _log_mean_exp(scaled, outside)
    bridged = np.where(usable, -_bridge(scaled, inside, outside), np.nan)
    jeffreys = mean_out - mean_in
    return LossGap(
        jeffreys=jeffreys,
        standard_error=np.sqrt(error_in**2 + error_out**2),
        mutual_information_bound=np.clip(prior * (1 - prior) * jeffreys, 0.0, ceiling),
        log_normalizer=bridged,
        log_normalizer_without=without,
        effective_models=effective,
        kl=-mean_in - bridged,
        kl_reverse=mean_out + bridged,
        temperature=float(temperature),
        notes=_notes(usable, effective),
    )


def _sides(losses: Numbers, membership: Numbers, temperature: float) -> tuple[Table, Mask, Mask]:
    """Losses in units of the temperature, 0 where missing, and who counts on either side."""
    table, member = np.asarray(losses, np.float64), np.asarray(membership, bool)
    if table.ndim != 2 or table.shape != member.shape:
        raise InputError(f"losses {table.shape} and membership {member.shape} must both be [models records]")
    if np.isinf(table).any():
        raise InputError("losses must be finite; clip them, or mark what does not count with NaN")
    counts = ~np.isnan(table)
    return np.where(counts, table / temperature, 0.0), member & counts, ~member & counts


def _mean_and_error(values: Table, chosen: Mask) -> tuple[Values, Values]:
    """Mean over the chosen models and its standard error; NaN below one model, and below two."""
    count = chosen.sum(0).astype(np.float64)
    mean = (values * chosen).sum(0) / np.where(count > 0, count, np.nan)
    squares = (np.where(chosen, values - mean, 0.0) ** 2).sum(0)
    return mean, np.sqrt(squares / np.where(count > 1, count * (count - 1), np.nan))


def _log_mean_exp(scaled: Table, chosen: Mask) -> tuple[Values, Values]:
    """ln of the mean of exp(-loss / T), and the effective number of models in it."""
    lowest = np.where(chosen, scaled, np.inf).min(0)
    lowest = np.where(np.isfinite(lowest), lowest, np.nan)
    weights = np.where(chosen, np.exp(np.minimum(lowest - scaled, 0.0)), 0.0)
    total = np.where(np.isnan(lowest), np.nan, weights.sum(0))
    return np.log(total / chosen.sum(0).clip(1)) - lowest, total**2 / (weights**2).sum(0).clip(1e-300)


def _bridge(scaled: Table, inside: Mask, outside: Mask) -> Values:
    """-ln of the normalizer where the odds of being in, summed over models, give the number that are in.

    Bennett 1976; as maximum likelihood: P(in | loss) = sigmoid(ln(n_in / n_out) - loss / T - ln Z).
    """
    counts = inside | outside
    log_odds = np.log(inside.sum(0).clip(1)) - np.log(outside.sum(0).clip(1))
    lowest, highest = np.where(counts, scaled, np.inf).min(0), np.where(counts, scaled, -np.inf).max(0)
    some = np.isfinite(lowest)

    def too_few_in(free: Values) -> Bool[np.ndarray, "records"]:
        chance = special.expit(log_odds + free - scaled)
        return (chance * counts).sum(0) <= inside.sum(0)

    return largest(too_few_in, np.where(some, lowest, 0.0), np.where(some, highest, 0.0), HALVINGS)


def _notes(usable: Bool[np.ndarray, "records"], effective: Values) -> tuple[str, ...]:
    found = ["holds for draws from a Gibbs posterior at this temperature; a network's training has none"]
    missing = int((~usable).sum())
    if missing:
        found.append(f"{missing} records have no model on one side and are NaN")
    thin = int((usable & (effective < TRUSTED)).sum())
    if thin:
        found.append(
            f"{thin} records: the average of exp(-loss / T) without them rests on fewer than {TRUSTED} "
            "effective models; read log_normalizer (bridge), not log_normalizer_without"
        )
    return tuple(found)
