"""Which targets name which samples, at each checkpoint: what the plane counts, kept as bits."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from vestige.risk.operating_point import OperatingPoint, PopulationFPR, supported
from vestige.risk.plane import Plane
from vestige.risk.region import NAMED, Regions

# A sample's rates move in steps of one model; with fewer models on a side, one model decides the region.
FEW_MODELS = 8


@dataclass(frozen=True, eq=False)
class Sides:
    """Models that named each sample, and models that scored it, trained with it (in) or without (out).

    Each [replicates samples]: one row per weighting of the models.
    """

    hits_in: Float64[np.ndarray, "replicates samples"]
    n_in: Float64[np.ndarray, "replicates samples"]
    hits_out: Float64[np.ndarray, "replicates samples"]
    n_out: Float64[np.ndarray, "replicates samples"]

    @property
    def tpr(self) -> Float64[np.ndarray, "replicates samples"]:
        """hits_in / n_in; NaN where nothing was scored."""
        return _ratio(self.hits_in, self.n_in)

    @property
    def fpr(self) -> Float64[np.ndarray, "replicates samples"]:
        """hits_out / n_out; NaN where nothing was scored."""
        return _ratio(self.hits_out, self.n_out)


class Decisions:
    """The decision of every target about every sample at every checkpoint, one bit each.

    Each (target, checkpoint) is to be added once, in any order.

    member: [targets samples]. epochs: [checkpoints], when each checkpoint was taken.
    point: where targets name samples; `warnings` says if it had to be raised and what few models mean.
    """

    def __init__(
        self,
        member: Bool[np.ndarray, "targets samples"],
        epochs: Float[np.ndarray, "checkpoints"],
        point: OperatingPoint | None = None,
    ) -> None:
        self.member, self.epochs = member, np.asarray(epochs, np.float64)
        self.point, raised = supported(point or PopulationFPR(), member)
        self.warnings = (*raised, *_few_models(member))
        width = (member.shape[1] + 7) // 8
        shape = (len(self.epochs), member.shape[0], width)
        self._named: UInt8[np.ndarray, "checkpoints targets bytes"] = np.zeros(shape, np.uint8)
        self._scored: UInt8[np.ndarray, "checkpoints targets bytes"] = np.zeros(shape, np.uint8)

    def add(self, target: int, checkpoint: int, scores: Float[np.ndarray, "samples"]) -> None:
        """Take in one target's scores at one checkpoint; NaN scores count neither way."""
        named = self.point.named(scores, self.member[target])
        self._named[checkpoint, target] = np.packbits(named)
        self._scored[checkpoint, target] = np.packbits(~np.isnan(scores))

    def named(self, checkpoint: int) -> Bool[np.ndarray, "targets samples"]:
        """Who names whom at a checkpoint."""
        return self._unpacked(self._named[checkpoint])

    def scored(self, checkpoint: int) -> Bool[np.ndarray, "targets samples"]:
        """Which scores there were at a checkpoint."""
        return self._unpacked(self._scored[checkpoint])

    def sides(self, checkpoint: int, weights: Float64[np.ndarray, "replicates targets"]) -> Sides:
        """The counts at a checkpoint, with each target counted as often as its weight says."""
        weights = weights.astype(np.float32)  # counts of models are exact in float32
        named = self.named(checkpoint).astype(np.float32)
        scored = self.scored(checkpoint).astype(np.float32)
        inside = self.member.astype(np.float32)
        products = [weights @ (side * what) for side in (inside, 1 - inside) for what in (named, scored)]
        return Sides(*(product.astype(np.float64) for product in products))

    def plane(self, regions: Regions = NAMED) -> Plane:
        """The plane of everything that was added."""
        once = np.ones((1, len(self.member)))
        counts = [self.sides(checkpoint, once) for checkpoint in range(len(self.epochs))]
        names = ("hits_in", "hits_out", "n_in", "n_out")
        arrays = {
            name: np.stack([getattr(c, name)[0] for c in counts]).round().astype(np.int32) for name in names
        }
        return Plane(
            **arrays, epochs=self.epochs, point=self.point, partition=regions, warnings=self.warnings
        )

    def _unpacked(self, rows: UInt8[np.ndarray, "targets bytes"]) -> Bool[np.ndarray, "targets samples"]:
        return np.unpackbits(rows, axis=1, count=self.member.shape[1]).astype(bool)


def _few_models(member: Bool[np.ndarray, "targets samples"]) -> tuple[str, ...]:
    inside = member.sum(0)
    fewest = int(min(inside.min(), len(member) - inside.max()))
    if fewest >= FEW_MODELS:
        return ()
    if fewest == 0:
        return ("Some records have no model on one side, so their rate there is unknown.",)
    return (
        f"Some records have only {fewest} models on one side: their rates move in steps of "
        f"{100 / fewest:.3g} points, so single places and regions on the plane carry little.",
    )


def _ratio(
    hits: Float64[np.ndarray, "replicates samples"], trials: Float64[np.ndarray, "replicates samples"]
) -> Float64[np.ndarray, "replicates samples"]:
    return np.divide(hits, trials, out=np.full(hits.shape, np.nan), where=trials > 0)
