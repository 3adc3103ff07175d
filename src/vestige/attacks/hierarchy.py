"""The hierarchical model of a sample's OUT and IN signals: both means and the spread, each shared in part.

For sample i the means are (mu0, mu1)_i ~ N(E_i, T) with E_i a regression on what is known of the sample, and
the variance under coin c is v_c(bin of mu0_i) f_i with f_i ~ scaled inverse chi-square (s, d). All of it is
fitted by moments and likelihood over the samples of one target's references; no coin of the target enters.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy import optimize, special

from vestige.attacks.evidence import Side
from vestige.stats.gaussian import log_student_density, student_constant

Samples = Float64[np.ndarray, "samples"]
Design = Float64[np.ndarray, "samples covariates"]
Sides = tuple[Side, Side]

RIDGE = 1.0  # on standardized covariates, against weights that count references
MOST_CORRELATION = 0.98  # of the two means; beyond it the prior would be singular
BINS = 8  # of the OUT mean, each with variances of its own
BIN_FREEDOM = 20.0  # degrees of freedom with which the common variance enters a bin's
GUARD = 2.0  # scales beyond either location at which signals are cut off, for the ratio of t densities turns
SMALLEST = 1e-12  # squared logits, for references that agree
MOST_FREEDOM = 1e6  # of the prior of f when samples do not differ in spread


@dataclass(frozen=True, eq=False)
class Posterior:
    """What references and prior say of each sample's means and of one more signal under either coin.

    means: OUT and IN. uncertainty: the posterior variances of these means. variances: of a signal about its
    mean. freedom: degrees of freedom of the variances. prior: the means before the references were seen.
    """

    means: tuple[Samples, Samples]
    uncertainty: tuple[Samples, Samples]
    variances: tuple[Samples, Samples]
    freedom: Samples
    prior: tuple[Samples, Samples]

    def log_ratio(
        self,
        x: Samples,
        shifts: tuple[Samples | float, Samples | float] = (0.0, 0.0),
        scales: tuple[float, float] = (1.0, 1.0),
    ) -> Samples:
        """log t(x; IN) - log t(x; OUT) in nats.

        shifts: of the OUT and of the IN location. scales: factors of the OUT and of the IN variances.
        """
        places = [mean + shift for mean, shift in zip(self.means, shifts, strict=True)]
        spreads = [scale * variance for scale, variance in zip(scales, self.variances, strict=True)]
        low = places[0] - GUARD * np.sqrt(spreads[0])
        high = np.maximum(places[1], places[0]) + GUARD * np.sqrt(spreads[1])
        within = np.clip(x, low, high)
        constant = _constant(self.freedom)
        out, into = (
            log_student_density(within, place, spread + doubt, constant, self.freedom)
            for place, spread, doubt in zip(places, spreads, self.uncertainty, strict=True)
        )
        return into - out


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The fitted prior.

    covariates: standardized, [samples covariates]. coefficients: of them, for the expected OUT and IN mean.
    spread: the covariance T. edges: of the bins of the OUT mean; variances: in them, OUT and IN. scale,
    freedom: s and d. pooled: the variances over all samples.
    """

    covariates: Design
    coefficients: tuple[Float64[np.ndarray, "covariates"], Float64[np.ndarray, "covariates"]]
    spread: Float64[np.ndarray, "2 2"]
    edges: Float64[np.ndarray, "inner_edges"]
    variances: tuple[Float64[np.ndarray, "bins"], Float64[np.ndarray, "bins"]]
    scale: float
    freedom: float
    pooled: tuple[float, float]

    def posterior(self, sides: Sides) -> Posterior:
        """The posterior of every sample from these references, which may be fewer than those of the fit."""
        expected = (self.covariates @ self.coefficients[0], self.covariates @ self.coefficients[1])
        first, _ = _means(sides, expected, self.spread, self.pooled)
        bins = np.searchsorted(self.edges, first[0])
        usual = (self.variances[0][bins], self.variances[1][bins])
        seen = sides[0].squares / usual[0] + sides[1].squares / usual[1]
        freedom = sides[0].freedom + sides[1].freedom
        factor = (self.freedom * self.scale + seen) / (self.freedom + freedom)
        variances = (usual[0] * factor, usual[1] * factor)
        means, uncertainty = _means(sides, expected, self.spread, variances)
        return Posterior(means, uncertainty, variances, self.freedom + freedom, expected)


def fit(sides: Sides, covariates: Design) -> Hierarchy:
    """The prior over samples from the references of one target.

    covariates: [samples covariates], what is known of a sample besides signals, with a constant among it.
    """
    design = _standardized(covariates)
    pooled = _pooled(sides)
    coefficients = (_ridge(design, sides[0]), _ridge(design, sides[1]))
    expected = (design @ coefficients[0], design @ coefficients[1])
    spread = _spread(sides, expected, pooled)
    first, _ = _means(sides, expected, spread, pooled)
    edges = np.quantile(first[0], np.linspace(0, 1, BINS + 1)[1:-1])
    bins = np.searchsorted(edges, first[0])
    variances = (_binned(sides[0], bins, pooled[0]), _binned(sides[1], bins, pooled[1]))
    seen = sides[0].squares / variances[0][bins] + sides[1].squares / variances[1][bins]
    scale, freedom = fit_factors(seen, sides[0].freedom + sides[1].freedom)
    return Hierarchy(design, coefficients, spread, edges, variances, scale, freedom, pooled)


def fit_factors(seen: Samples, freedom: Samples) -> tuple[float, float]:
    """Scale s and degrees of freedom d of f ~ s d / chi2(d), where seen / f ~ chi2(freedom).

    The maximum of the marginal likelihood: seen / freedom ~ s F(freedom, d). Samples without degrees of
    freedom say nothing.
    """
    told = freedom > 0
    if not told.any():
        return 1.0, MOST_FREEDOM
    own, sums = freedom[told], np.maximum(seen[told], SMALLEST)

    def loss(point: Float64[np.ndarray, "2"]) -> float:
        s, d = np.exp(point[0]), np.exp(point[1])
        ratio = sums / (s * d)
        density = -special.betaln(own / 2, d / 2) + own / 2 * np.log(ratio) - (own + d) / 2 * np.log1p(ratio)
        return -float(density.mean())

    start = np.log([max(float(sums.sum() / own.sum()), SMALLEST), 10.0])
    bounds = [(start[0] - 10, start[0] + 10), (np.log(0.5), np.log(MOST_FREEDOM))]
    found = optimize.minimize(loss, start, method="Nelder-Mead", bounds=bounds)
    s, d = np.exp(found.x)
    return float(s), float(d)


def _standardized(covariates: Design) -> Float64[np.ndarray, "samples columns"]:
    """Columns of mean 0 and deviation 1 behind one of ones; those that do not vary go."""
    spread = covariates.std(0)
    varied = covariates[:, spread > 0]
    return np.column_stack([np.ones(len(covariates)), (varied - varied.mean(0)) / spread[spread > 0]])


def _pooled(sides: Sides) -> tuple[float, float]:
    """The within-sample variance of either side; one without degrees of freedom borrows the other's, or 1."""
    freedoms = [float(side.freedom.sum()) for side in sides]
    squares = [float(side.squares.sum()) for side in sides]
    whole = sum(squares) / sum(freedoms) if sum(freedoms) else 1.0
    found = [s / f if f else whole for s, f in zip(squares, freedoms, strict=True)]
    return max(found[0], SMALLEST), max(found[1], SMALLEST)


def _ridge(design: Design, side: Side) -> Float64[np.ndarray, "covariates"]:
    """The regression of a side's means, each weighed by its references; the constant is not shrunk."""
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    weighed = design * side.count[:, None]
    return np.linalg.solve(weighed.T @ design + penalty, weighed.T @ side.mean)


def _spread(
    sides: Sides, expected: tuple[Samples, Samples], variances: tuple[float, float]
) -> Float64[np.ndarray, "2 2"]:
    """The covariance of the true means about their expectation: that of the seen ones less their noise."""
    diagonal: list[float] = []
    for side, center, variance in zip(sides, expected, variances, strict=True):
        seen = side.count > 0
        noise = variance / side.count[seen]
        diagonal.append(max(float(((side.mean - center)[seen] ** 2 - noise).mean()), 1e-3 * variance))
    both = (sides[0].count > 0) & (sides[1].count > 0)  # their noises are independent
    together = float(np.mean(((sides[0].mean - expected[0]) * (sides[1].mean - expected[1]))[both]))
    most = MOST_CORRELATION * np.sqrt(diagonal[0] * diagonal[1])
    together = float(np.clip(together, -most, most))
    return np.array([[diagonal[0], together], [together, diagonal[1]]])


def _means(
    sides: Sides,
    expected: tuple[Samples, Samples],
    spread: Float64[np.ndarray, "2 2"],
    variances: tuple[Samples | float, Samples | float],
) -> tuple[tuple[Samples, Samples], tuple[Samples, Samples]]:
    """Posterior means and their variances: the precision is that of the prior and of the references."""
    prior = np.linalg.inv(spread)
    weights = [side.count / variance for side, variance in zip(sides, variances, strict=True)]
    p00, p11, p01 = prior[0, 0] + weights[0], prior[1, 1] + weights[1], prior[0, 1]
    determinant = p00 * p11 - p01**2
    c00, c11, c01 = p11 / determinant, p00 / determinant, -p01 / determinant
    pulls = [w * (side.mean - e) for w, side, e in zip(weights, sides, expected, strict=True)]
    out = expected[0] + c00 * pulls[0] + c01 * pulls[1]
    into = expected[1] + c01 * pulls[0] + c11 * pulls[1]
    return (out, into), (c00, c11)


def _binned(side: Side, bins: np.ndarray, pooled: float) -> Float64[np.ndarray, "bins"]:
    squares = np.bincount(bins, side.squares, BINS) + BIN_FREEDOM * pooled
    return np.maximum(squares / (np.bincount(bins, side.freedom, BINS) + BIN_FREEDOM), SMALLEST)


def _constant(freedom: Samples) -> Samples:
    distinct, where = np.unique(freedom, return_inverse=True)
    return student_constant(distinct)[where]
