"""Whether two training mechanisms find the same members hard: the loss rank correlation."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Integer
from scipy.stats import rankdata

from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate
from vestige.risk.pairs import MOST_PAIRS, model_pairs

NO_ORDER = "The losses of one of the two are all equal, so they have no order."
Losses = Float[np.ndarray, "_models _samples"]  # their shape is checked below, with a message


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
    compared = model_pairs(member, clusters, seed=seed, most=most_pairs)
    every = np.stack([np.asarray(values, np.float64) for values in losses.values()])
    found = np.stack(
        [
            _correlations(every[:, [first, second]][:, :, common])
            for (first, second), common in zip(compared.pairs, compared.common, strict=True)
        ]
    )
    numbers = range(len(losses))
    cells = {
        (a, b): compared.mean(found[:, a, b], least=-1.0, missing=NO_ORDER)
        for a in numbers
        for b in numbers
        if a <= b
    }
    rows = tuple(tuple(cells[min(a, b), max(a, b)] for b in numbers) for a in numbers)
    return RankAgreement(mechanisms=tuple(losses), cells=rows, pairs=len(compared.pairs))


def _correlations(
    losses: Float64[np.ndarray, "mechanisms two common"],
) -> Float64[np.ndarray, "mechanisms mechanisms"]:
    """Spearman correlations of two models under every two mechanisms, both ways round averaged."""
    one, other = (_standardized(rankdata(losses[:, model], axis=1)) for model in (0, 1))
    across = one @ other.T
    return (across + across.T) / 2


def _standardized(
    ranks: Float64[np.ndarray, "mechanisms common"],
) -> Float64[np.ndarray, "mechanisms common"]:
    """Rows of mean 0 and norm 1; NaN where all are equal, which correlate with nothing."""
    centered = ranks - ranks.mean(1, keepdims=True)
    norm = np.linalg.norm(centered, axis=1, keepdims=True)
    return centered / np.where(norm > 0, norm, np.nan)
