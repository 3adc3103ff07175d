"""A model that plays the target, and what its references leave out with it."""

import numpy as np
from jaxtyping import Bool, Float64, Int, Shaped

from vestige.attacks.pool import Pool, gather
from vestige.attacks.quantity import Quantity, Values, recorded_name, value
from vestige.stats.exchange import exchange
from vestige.stats.moments import Moments, Row, TwoSided

Raw = Shaped[np.ndarray, "samples augmentations"]
Weight = Float64[np.ndarray, "samples 1"] | float


class Holdout:
    """One model's rows at a checkpoint, and the rows left out with it, read once each."""

    def __init__(self, pool: Pool, model: int, checkpoint: int) -> None:
        self.model = model
        self._pool = pool
        self._checkpoint = checkpoint
        self._rows: dict[tuple[str, str], Raw] = {}

    @property
    def left_out(self) -> int | Int[np.ndarray, "samples"]:
        """The model that is left out with this one, for all samples or per sample; -1 for none."""
        return self._pool.left_out(self.model)

    def row(self, quantity: Quantity, samples: slice) -> Float64[np.ndarray, "samples augmentations"]:
        """The quantity of the model itself."""
        return self._value("own", quantity, samples)

    def left_out_row(
        self, quantity: Quantity, samples: slice
    ) -> Float64[np.ndarray, "samples augmentations"]:
        """The quantity of the model left out; where there is none, the model's own."""
        return self._value(
            "own" if isinstance(self.left_out, int) and self.left_out < 0 else "other", quantity, samples
        )

    def usable(self, model: int, samples: slice) -> Bool[np.ndarray, "samples"]:
        """Where another model may serve as a reference of this one."""
        size = len(range(*samples.indices(self._pool.num_samples)))
        if isinstance(self.left_out, int):
            return np.full(size, model not in (self.model, self.left_out))
        return (self.left_out[samples] != model) & (model != self.model)

    def take_from(self, totals: TwoSided, quantity: Quantity, samples: slice) -> TwoSided:
        """The moments of the references alone, from those of all models at these samples."""
        inside, outside = self._removals(totals, quantity, samples)
        return TwoSided(inside[0].without(*inside[1]), outside[0].without(*outside[1]))

    def means_from(self, totals: TwoSided, quantity: Quantity, samples: slice) -> tuple[Values, Values]:
        """The means over IN and over OUT references, without their spread."""
        inside, outside = self._removals(totals, quantity, samples)
        return inside[0].mean_without(*inside[1]), outside[0].mean_without(*outside[1])

    def losses_from(self, totals: TwoSided, quantity: Quantity, samples: slice) -> list[tuple[Row, float]]:
        """Per side the squares that go with this model, and the degrees of freedom that stay, summed."""
        return [side.summed_loss(*removal) for side, removal in self._removals(totals, quantity, samples)]

    def _removals(
        self, totals: TwoSided, quantity: Quantity, samples: slice
    ) -> list[tuple[Moments, tuple[Values, Weight]]]:
        """Each side with the row to take away from it, and where."""
        own, other = self.row(quantity, samples), self.left_out_row(quantity, samples)
        inside = self._pool.membership.mask[self.model, samples, None]
        in_present, out_present = self._present(inside, samples)
        from_inside, from_outside = exchange(inside, own, other)
        return [
            (totals.inside, (from_inside, in_present)),
            (totals.outside, (from_outside, out_present)),
        ]

    def _present(self, inside: Bool[np.ndarray, "samples 1"], samples: slice) -> tuple[Weight, Weight]:
        """1 where a row is to be taken from the inside, and from the outside."""
        if isinstance(self.left_out, int):
            if self.left_out >= 0:
                return 1.0, 1.0
            return inside.astype(np.float64), (~inside).astype(np.float64)
        other = self.left_out[samples, None] >= 0
        return (inside | other).astype(np.float64), (~inside | other).astype(np.float64)

    def _value(
        self, which: str, quantity: Quantity, samples: slice
    ) -> Float64[np.ndarray, "samples augmentations"]:
        recorded = recorded_name(quantity, self._pool.signals.names)
        if (which, recorded) not in self._rows:
            self._rows[which, recorded] = self._read(which, recorded)
        return value(quantity, recorded, self._rows[which, recorded][samples])

    def _read(self, which: str, recorded: str) -> Raw:
        def row_of(model: int) -> Raw:
            # a plain array: slices of a memory map are slow to make
            return np.asarray(self._pool.signals.row(recorded, model, self._checkpoint))

        if which == "own":
            return row_of(self.model)
        if isinstance(self.left_out, int):
            return row_of(self.left_out)
        gathered = gather(row_of, self.left_out)
        return np.where(self.left_out[:, None] >= 0, gathered, row_of(self.model))
