"""Leakage when the training set is a random subset of a known universe: mixtures of Gaussians."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from scipy import special

from vestige.core import check, seeds
from vestige.core.errors import InputError
from vestige.leakage.blocks import blocks
from vestige.leakage.leakage import Leakage
from vestige.leakage.linear_shift import Indices, chosen_records
from vestige.leakage.randomness import RandomSubset, require
from vestige.leakage.shift import gaussian_kl, gaussian_shift

Rows = Int64[np.ndarray, "subsets size"]
Centers = Float64[np.ndarray, "subsets parameters"]
Values = Float64[np.ndarray, "records"]
Fits = Callable[[Rows], Centers]


@dataclass(frozen=True, kw_only=True, eq=False)
class SubsetLeakage:
    """KL(P1 || P0) of each record in nats, three ways; the two laws are mixtures over training sets.

    distances: of the parameters with the record to those with another in its place, in standard deviations of
    the noise, per pair of training sets.
    monte_carlo, monte_carlo_error: estimate between the two drawn mixtures, and its standard error from draws
    of the noise. It is biased upward, less with more subsets: compare monte_carlo_half, from half of them.
    moment_match, moment_match_half: between the Gaussians that have the mixtures' means and covariances.
    """

    records: Int64[np.ndarray, "records"]
    distances: Float64[np.ndarray, "records subsets"]
    monte_carlo: Float64[np.ndarray, "records"]
    monte_carlo_error: Float64[np.ndarray, "records"]
    monte_carlo_half: Float64[np.ndarray, "records"]
    moment_match: Float64[np.ndarray, "records"]
    moment_match_half: Float64[np.ndarray, "records"]

    @property
    def coupling(self) -> Values:
        """An upper bound: the mean divergence over training sets that differ in the record only."""
        return np.mean(self.distances**2, axis=1) / 2

    @property
    def coupling_error(self) -> Values:
        """The standard error of the coupling bound from the choice of the training sets."""
        halves = self.distances**2 / 2
        return np.std(halves, axis=1, ddof=1) / np.sqrt(halves.shape[1])

    def leakage(self, prior: float = 0.5) -> Leakage:
        """Upper bounds of every quantity, means over pairs of training sets: f-divergences are convex."""
        pairs = gaussian_shift(self.distances, prior)
        return Leakage(
            kl=pairs.kl.mean(axis=1),
            kl_reverse=pairs.kl_reverse.mean(axis=1),
            mutual_information=pairs.mutual_information.mean(axis=1),
            advantage=pairs.advantage.mean(axis=1),
            prior=prior,
            kind="upper bound",
            notes=(self._sentence(),),
        )

    def _sentence(self) -> str:
        subsets = self.distances.shape[1]
        largest = np.max(self.coupling_error / np.maximum(self.coupling, np.finfo(np.float64).tiny))
        return (
            f"coupling bound from {subsets} pairs of training sets, standard error up to "
            f"{100 * largest:.1f} % per record; Monte Carlo estimate of the mean KL "
            f"{self.monte_carlo.mean():.3g} (with half of the pairs {self.monte_carlo_half.mean():.3g}: it "
            "is biased upward)"
        )


def random_subset(
    fits: Fits,
    universe: int,
    randomness: RandomSubset,
    *,
    records: Indices | None = None,
    seed: int = 0,
    draws: int = 4000,
) -> SubsetLeakage:
    """The leakage of models that are trained on random subsets and released with Gaussian noise.

    fits: gives the parameters [subsets parameters] of training sets, rows of indices [subsets size].
    universe: how many records there are. records: indices of those wanted, all by default.
    draws: of the noise, for the Monte Carlo estimate.

    Training sets come in pairs: one with the record, and the same with a random outsider in its place.

    Raises InputError for a size or a universe that does not fit the records.
    """
    require(randomness, RandomSubset)
    _fitting(universe, randomness)
    check.at_least("draws", draws, 2)
    chosen = chosen_records(records, universe)
    results = [_one_record(fits, universe, randomness, int(record), seed, draws) for record in chosen]
    columns = [np.stack(column) for column in zip(*results, strict=True)]
    return SubsetLeakage(
        records=chosen,
        distances=columns[0],
        monte_carlo=columns[1],
        monte_carlo_error=columns[2],
        monte_carlo_half=columns[3],
        moment_match=columns[4],
        moment_match_half=columns[5],
    )


def paired_subsets(
    universe: int, size: int, record: int, count: int, generator: np.random.Generator
) -> tuple[Rows, Rows]:
    """Uniform training sets that hold the record, and the same with one random outsider in its place."""
    others = np.delete(np.arange(universe, dtype=np.int64), record)
    order = np.argsort(generator.random((count, universe - 1)), axis=1)[:, :size]
    without = others[order]
    within = without.copy()
    within[:, -1] = record
    return within, without


def mixture_kl(
    within: Centers, without: Centers, generator: np.random.Generator, draws: int = 4000
) -> tuple[float, float]:
    """KL between equal mixtures of unit Gaussians at these centers by Monte Carlo, and its standard error."""
    chosen = generator.integers(len(within), size=draws)
    points = within[chosen] + generator.standard_normal((draws, within.shape[1]))
    parts = [points[part] for part in blocks(draws, len(within))]
    ratios = np.concatenate([_log_mixture(part, within) - _log_mixture(part, without) for part in parts])
    return float(ratios.mean()), float(ratios.std(ddof=1) / np.sqrt(draws))


def moment_kl(within: Centers, without: Centers) -> float:
    """KL between the Gaussians with the moments of equal mixtures of unit Gaussians at these centers."""
    return gaussian_kl(within.mean(0), _covariance(within), without.mean(0), _covariance(without))


def _one_record(
    fits: Fits, universe: int, randomness: RandomSubset, record: int, seed: int, draws: int
) -> tuple[np.ndarray, ...]:
    generator = seeds.generator(seed, "random subset", record)
    rows = paired_subsets(universe, randomness.size, record, randomness.subsets, generator)
    within, without = (fits(side) / randomness.sigma for side in rows)
    half = randomness.subsets // 2
    estimate, error = mixture_kl(within, without, generator, draws)
    estimate_half, _ = mixture_kl(within[:half], without[:half], generator, draws)
    moments = [moment_kl(within[:count], without[:count]) for count in (len(within), max(half, 2))]
    distances = np.linalg.norm(within - without, axis=1)
    return distances, *map(np.asarray, (estimate, error, estimate_half, *moments))


def _log_mixture(points: np.ndarray, centers: Centers) -> Float64[np.ndarray, "points"]:
    # squares expanded: one matrix product instead of a table of differences
    squares = np.sum(points**2, axis=1)[:, None] + np.sum(centers**2, axis=1) - 2 * points @ centers.T
    return np.asarray(special.logsumexp(-squares / 2, axis=1))


def _covariance(centers: Centers) -> Float64[np.ndarray, "parameters parameters"]:
    around = centers - centers.mean(axis=0)
    return around.T @ around / (len(centers) - 1) + np.eye(centers.shape[1])


def _fitting(universe: int, randomness: RandomSubset) -> None:
    if randomness.universe is not None and randomness.universe != universe:
        raise InputError(
            f"universe={randomness.universe} but {universe} records are given: give the records that could "
            "be in, or leave universe out"
        )
    if randomness.size >= universe:
        raise InputError(
            f"size={randomness.size} must be below the {universe} records that could be in, or nothing is "
            "random"
        )
