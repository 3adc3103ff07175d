"""Whether two training mechanisms find the same members hard: the loss rank correlation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Integer
from scipy.stats import rankdata

from vestige.core import seeds
from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.resample import Resampling, resampling

FEWEST_COMMON = 20  # members; a rank correlation of fewer says little
MOST_PAIRS = 200
FEWEST_CLUSTERS = 4  # with fewer, most replicates hold the same few pairs and spread too little

Losses = Float[np.ndarray, "_models _samples"]  # their shape is checked below, with a message
Pairs = Int64[np.ndarray, "pairs 2"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RankAgreement:
    """The loss rank correlation of every two mechanisms, -1 to 1; higher = the same samples are hard.

    cells: [mechanisms][mechanisms], symmetric. pairs: of models that each cell is the mean of.
    """

    mechanisms: tuple[str, ...]
    cells: tuple[tuple[Estimate, ...], ...]
    pairs: int

    @property
    def values(self) -> Float64[np.ndarray, "mechanisms mechanisms"]:
        """The correlations, NaN where a cell has none."""
        return np.array(
            [[np.nan if c.value is None else c.value for c in row] for row in self.cells], np.float64
        )

    def between(self, one: str, other: str) -> Estimate:
        """The cell of two mechanisms; of one mechanism with itself for two of its runs."""
        return self.cells[self.mechanisms.index(one)][self.mechanisms.index(other)]


def rank_agreement(
    losses: dict[str, Losses],
    member: Bool[np.ndarray, "models samples"],
    clusters: Integer[np.ndarray, "models"],
    *,
    seed: int = 0,
    most_pairs: int = MOST_PAIRS,
) -> RankAgreement:
    """The mean Spearman correlation of two models' losses on the members that both trained on.

    Kaya and Dumitras 2021. losses: by mechanism, in nats; model m of every mechanism trained on the members
    of row m. All cells use the same pairs of different models, at most `most_pairs` of them drawn at random:
    so the diagonal compares different runs, and differs from the other cells in the mechanism alone.
    Populations of several seeds can be stacked along models.
    clusters: models with the same number are dependent by design, and drawn together for the intervals.

    Raises InputError where no two models have 20 members in common.
    """
    for name, values in losses.items():
        if values.shape != member.shape:
            raise InputError(
                f"losses of {name} have shape {values.shape} and member {member.shape}; use the same coins"
            )
    pairs = _pairs(member, seed, most_pairs)
    every = np.stack([np.asarray(values, np.float64) for values in losses.values()])
    found = np.stack([_correlations(every, member, int(m), int(n)) for m, n in pairs])
    drawn_again = resampling(clusters, seed)
    numbers = range(len(losses))
    cells = {(a, b): _cell(found[:, a, b], pairs, drawn_again) for a in numbers for b in numbers if a <= b}
    rows = tuple(tuple(cells[min(a, b), max(a, b)] for b in numbers) for a in numbers)
    return RankAgreement(mechanisms=tuple(losses), cells=rows, pairs=len(pairs))


def _pairs(member: Bool[np.ndarray, "models samples"], seed: int, most: int) -> Pairs:
    """Different models with enough common members, in order; complementary halves have none."""
    counts = member.astype(np.float32) @ member.T.astype(np.float32)
    found = np.argwhere(np.triu(counts >= FEWEST_COMMON, 1))
    if not len(found):
        raise InputError(
            f"no two of the {len(member)} models have {FEWEST_COMMON} members in common; use more models or "
            "samples"
        )
    if len(found) <= most:
        return found
    chosen = seeds.generator(seed, "pairs of models").choice(len(found), most, replace=False)
    return found[np.sort(chosen)]


def _correlations(
    losses: Float64[np.ndarray, "mechanisms models samples"],
    member: Bool[np.ndarray, "models samples"],
    first: int,
    second: int,
) -> Float64[np.ndarray, "mechanisms mechanisms"]:
    """Spearman correlations of two models under every two mechanisms, both ways round averaged."""
    common = member[first] & member[second]
    one, other = (_standardized(rankdata(losses[:, model, common], axis=1)) for model in (first, second))
    across = one @ other.T
    return (across + across.T) / 2


def _standardized(
    ranks: Float64[np.ndarray, "mechanisms common"],
) -> Float64[np.ndarray, "mechanisms common"]:
    """Rows of mean 0 and norm 1; NaN where all are equal, which correlate with nothing."""
    centered = ranks - ranks.mean(1, keepdims=True)
    norm = np.linalg.norm(centered, axis=1, keepdims=True)
    return centered / np.where(norm > 0, norm, np.nan)


def _cell(values: Float64[np.ndarray, "pairs"], pairs: Pairs, drawn_again: Resampling) -> Estimate:
    """The mean over pairs; in a replicate a pair counts as often as both of its models were drawn."""
    sound = ~np.isnan(values)
    if not sound.any():
        return unsupported("The losses of one of the two are all equal, so they have no order.")
    value, kept = float(values[sound].mean()), pairs[sound]
    if drawn_again.num_clusters < FEWEST_CLUSTERS:
        note = f"{drawn_again.num_clusters} independent models are too few for an interval."
        return Estimate(value=value, note=note)
    weights = drawn_again.weights[:, kept[:, 0]] * drawn_again.weights[:, kept[:, 1]]
    total = weights.sum(1)
    replicates = (weights @ values[sound])[total > 0] / total[total > 0]
    method = f"{len(kept)} pairs of models, bootstrap over {drawn_again.num_clusters} independent models"
    return drawn_again.estimate(value, replicates, method, least=-1.0)
