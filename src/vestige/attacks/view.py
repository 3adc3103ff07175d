"""What an attack sees: one target at one checkpoint, its references, and no target membership."""

import copy
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float64, Int, Integer, Shaped

from vestige.attacks.holdout import Holdout
from vestige.attacks.pool import Pool, direct_moments
from vestige.attacks.quantity import Quantity, Tempered, Values, recorded_name, value
from vestige.attacks.surrogate import Responses
from vestige.core import check
from vestige.core.errors import InputError
from vestige.stats import moments, ranks
from vestige.stats.moments import LOST, Moments, Row, TwoSided, column_sum

__all__ = ["AttackView", "Pool"]

Fitted = TypeVar("Fitted")


class AttackView:
    """One target at one checkpoint, and the references it may be compared with.

    All arrays cover the samples of the view: every candidate, or the block that `blocks` handed out.
    """

    def __init__(self, pool: Pool, target: int, checkpoint: int) -> None:
        check.within("target", target, 0, pool.num_models - 1)
        check.within("checkpoint", checkpoint, -pool.num_checkpoints, pool.num_checkpoints - 1)
        self.checkpoint = checkpoint % pool.num_checkpoints
        self._pool = pool
        self._samples = slice(0, pool.num_samples)
        self._player = Holdout(pool, target, self.checkpoint)
        self._excluded: tuple[Holdout, ...] = ()

    @property
    def num_samples(self) -> int:
        """How many samples the view covers."""
        return self._samples.stop - self._samples.start

    @property
    def num_checkpoints(self) -> int:
        """How many checkpoints are on record."""
        return self._pool.num_checkpoints

    @property
    def labels(self) -> Integer[np.ndarray, "samples"]:
        """The class index of each sample. Raises InputError when the pool holds none."""
        return self._given("labels")

    @property
    def features(self) -> Shaped[np.ndarray, "samples ..."]:
        """The description of each sample. Raises InputError when the pool holds none."""
        return self._given("features")

    def target(self, quantity: Quantity) -> Values:
        """The quantity of the target, [samples augmentations], float64."""
        return self._player.row(quantity, self._samples)

    def references(
        self, quantity: Quantity
    ) -> Iterator[tuple[Values, Bool[np.ndarray, "samples"], Bool[np.ndarray, "samples"]]]:
        """Each reference in turn: its values, where it trained on the sample, where it may be used.

        The second is false where the third is: the coin of a model left out would give the target's away.
        """
        for model in range(self._pool.num_models):
            usable = self._usable(model)
            if usable.any():
                values = self._read(quantity, model)
                yield values, self._pool.membership.mask[model, self._samples] & usable, usable

    def reference_models(self) -> tuple[int, ...]:
        """The numbers of the models that may serve as references of some sample."""
        return tuple(model for model in range(self._pool.num_models) if self._usable(model).any())

    def reference(self, quantity: Quantity, model: int) -> Values:
        """The quantity of one reference, [samples augmentations], float64.

        Raises InputError when the model is the target or its complement.
        """
        self._usable_somewhere(model)
        return self._read(quantity, model)

    def usable_references(self, models: Sequence[int]) -> Bool[np.ndarray, "models samples"]:
        """Where each of these models may serve as a reference."""
        return np.stack([self._usable(model) for model in models])

    def moments(self, quantity: Quantity) -> TwoSided:
        """Count, mean and squares over the references trained with (inside) and without each sample.

        Closed form: the totals over all models minus the target's own row and the row left out with it.
        Entries where that subtraction loses more than a few digits are computed from the references.
        """
        return self._streamed_moments(quantity) if self._is_streamed else self._closed_form(quantity)

    def means(self, quantity: Quantity) -> tuple[Values, Values]:
        """The means of `moments` alone, IN and OUT, at less cost."""
        if self._is_streamed or isinstance(quantity, Tempered):
            sides = self.moments(quantity)
            return sides.inside.mean, sides.outside.mean
        totals = self._pool.totals(quantity, self.checkpoint).at(self._samples)
        return self._player.means_from(totals, quantity, self._samples)

    def summed_squares(self, quantity: Quantity) -> list[tuple[Row, float]]:
        """Squares and degrees of freedom of IN and of OUT references, each summed over the samples."""
        whole = self.num_samples == self._pool.num_samples
        sums = self._closed_sums(quantity) if whole and not self._is_streamed else None
        return sums or _added(block.moments(quantity) for block in self.blocks())

    def medians(self, quantity: Quantity) -> tuple[Values, Values]:
        """The medians over the references trained with and without each sample; holds a block of all rows."""
        rows = list(self.references(quantity))
        values = np.stack([row for row, _, _ in rows])
        inside = np.stack([side for _, side, _ in rows])
        outside = np.stack([usable & ~side for _, side, usable in rows])
        return ranks.masked_median(values, inside), ranks.masked_median(values, outside)

    def responses(self, landmarks: int, seed: int, sources: int | None = None) -> Responses:
        """How the pool's samples answer to training sets; for views of all samples (see `Pool.responses`).

        sources: how many embeddings it goes by, of models other than the target and what is left out with it;
          None: by features.

        Raises InputError where no such embedding is at hand.
        """
        if sources is None:
            return self._pool.responses(None, landmarks, seed)
        known = [model for model in self._pool.embeddings or {} if model < 0 or self._usable(model).all()]
        if not known:
            raise InputError(
                "embeddings: none is of a model that may be a reference of all samples (a target's own and "
                "its complement's would tell its coins); give those of other models or of one outside these, "
                "or use joint with features"
            )
        return self._pool.responses(tuple(known[:sources]), landmarks, seed)

    def player_rows(self, most: int) -> int:
        """How many signals there are of references that play the target (see `Pool.player_rows`)."""
        return self._pool.player_rows(most)

    def latest(self, key: Hashable, compute: Callable[[], Fitted]) -> Fitted:
        """What `compute` gives, shared with the next target if the key is the same (see `Pool.latest`)."""
        return self._pool.latest((self.checkpoint, key), compute)

    @property
    def has_publics(self) -> bool:
        """Whether there are samples that no model trained on."""
        return self._pool.publics is not None

    @property
    def public_labels(self) -> Integer[np.ndarray, "publics"]:
        """The class index of each public sample. Raises InputError when the pool holds none."""
        if self._pool.public_labels is None:
            raise InputError("public_labels=None: a class-wise attack with publics needs their labels")
        return self._pool.public_labels

    def publics(self, quantity: Quantity) -> Float64[np.ndarray, "publics augmentations"]:
        """The quantity of the target at the public samples."""
        return self._public_row(quantity, self._player.model)

    def public_moments(self, quantity: Quantity) -> Moments:
        """The moments over all other models at the public samples, which none of them trained on."""
        if self._pool.references is not None:
            return self._direct_public_moments(quantity, self._pool.references)
        totals = after = self._pool.public_totals(quantity, self.checkpoint)
        for holdout in self._holdouts:
            after = after.without(self._public_row(quantity, holdout.model), 1.0)
        lost = np.flatnonzero(after.lost_digits(totals, isinstance(quantity, Tempered)))
        if len(lost):
            exact = self._direct_public_moments(quantity, range(self._pool.num_models))
            after.mean[lost], after.squares[lost] = exact.mean[lost], exact.squares[lost]
        return after

    def _direct_public_moments(self, quantity: Quantity, models: Sequence[int]) -> Moments:
        """The moments over those of the models that are not held out, from their values."""
        held_out = {holdout.model for holdout in self._holdouts}
        values = np.stack([self._public_row(quantity, model) for model in models if model not in held_out])
        outside = np.zeros(values.shape[:2], bool)
        return direct_moments(values, outside, ~outside).outside

    def blocks(self) -> Iterator["AttackView"]:
        """The view in cache-sized blocks of samples, in order."""
        for block in moments.blocks(self.num_samples):
            start = self._samples.start
            view = copy.copy(self)
            view._samples = slice(start + block.start, start + block.stop)
            yield view

    def map(
        self, score: Callable[["AttackView"], Float64[np.ndarray, "samples"]]
    ) -> Float64[np.ndarray, "samples"]:
        """The scores of all samples from a function that scores a block on its own."""
        result = np.empty(self.num_samples)
        stop = 0
        for block in self.blocks():
            start, stop = stop, stop + block.num_samples
            result[start:stop] = score(block)
        return result

    def at(self, checkpoint: int) -> "AttackView":
        """The same target and samples at another checkpoint."""
        other = AttackView(self._pool, self._player.model, checkpoint)
        other._samples = self._samples
        other._excluded = tuple(Holdout(self._pool, item.model, other.checkpoint) for item in self._excluded)
        return other

    def pseudo_view(self, reference: int) -> "AttackView":
        """The view in which a reference plays the target, for attacks that train on their references.

        The real target and what is left out with it stay excluded. Samples where both exclusions
        meet (only in the "balanced" design) have no usable reference, so that counts stay silent.
        Moments come from one pass over the references instead of the closed form.

        Raises InputError when the model is the target or its complement.
        """
        self._usable_somewhere(reference)
        pseudo = AttackView(self._pool, reference, self.checkpoint)
        pseudo._samples = self._samples
        pseudo._excluded = self._holdouts
        return pseudo

    def member_of_reference(self, reference: int) -> Bool[np.ndarray, "samples"]:
        """Where a reference trained on the samples, and may be used: the truth about a pseudo-target."""
        usable = self._usable_somewhere(reference)
        return self._pool.membership.mask[reference, self._samples] & usable

    def _usable_somewhere(self, reference: int) -> Bool[np.ndarray, "samples"]:
        usable = self._usable(reference)
        if not usable.any():
            raise InputError(
                f"reference={reference} is the target or is left out with it; take another model"
            )
        return usable

    @property
    def _is_streamed(self) -> bool:
        """Whether totals over all models say nothing about the references of this view."""
        return bool(self._excluded) or self._pool.references is not None

    @property
    def _holdouts(self) -> tuple[Holdout, ...]:
        return (self._player, *self._excluded)

    def _given(self, name: str) -> np.ndarray:
        values = getattr(self._pool, name)
        if values is None:
            raise InputError(f"{name}=None: this attack needs {name}, one row per sample")
        return values[self._samples]

    def _usable(self, model: int) -> Bool[np.ndarray, "samples"]:
        if not self._pool.may_refer(model):
            return np.zeros(self.num_samples, bool)
        usable = np.logical_and.reduce([holdout.usable(model, self._samples) for holdout in self._holdouts])
        return usable & ~self._collision() if self._excluded else usable

    def _collision(self) -> Bool[np.ndarray, "samples"]:
        """Where a model held out for one player is also held out for another."""
        held: list[Int[np.ndarray, "samples"]] = []
        for holdout in self._holdouts:
            held.append(np.full(self.num_samples, holdout.model))
            left_out = np.broadcast_to(np.asarray(holdout.left_out), (self._pool.num_samples,))
            held.append(left_out[self._samples].astype(np.int64))
        ordered = np.sort(np.stack(held), axis=0)
        return ((ordered[1:] == ordered[:-1]) & (ordered[1:] >= 0)).any(0)

    def _read(self, quantity: Quantity, model: int) -> Values:
        recorded = recorded_name(quantity, self._pool.signals.names)
        return value(
            quantity, recorded, self._pool.signals.row(recorded, model, self.checkpoint)[self._samples]
        )

    def _public_row(self, quantity: Quantity, model: int) -> Float64[np.ndarray, "publics augmentations"]:
        source = self._pool.publics
        if source is None:
            raise InputError("publics=None: this attack needs samples that no model trained on")
        recorded = recorded_name(quantity, source.names)
        return value(quantity, recorded, source.row(recorded, model, self.checkpoint))

    def _closed_form(self, quantity: Quantity) -> TwoSided:
        totals = self._pool.totals(quantity, self.checkpoint).at(self._samples)
        after = self._player.take_from(totals, quantity, self._samples)
        positive = isinstance(quantity, Tempered)
        lost = after.inside.lost_digits(totals.inside, positive)
        lost |= after.outside.lost_digits(totals.outside, positive)
        if lost.any():
            self._recompute(after, quantity, np.flatnonzero(lost))
        return after

    def _closed_sums(self, quantity: Quantity) -> list[tuple[Row, float]] | None:
        """`summed_squares` from totals over all models; None where the subtraction loses too many digits."""
        totals = self._pool.totals(quantity, self.checkpoint)
        before = self._pool.total_squares(quantity, self.checkpoint)
        after = [(squares.copy(), 0.0) for squares in before]
        for block in moments.blocks(self.num_samples):
            losses = self._player.losses_from(totals.at(block), quantity, block)
            after = [(had - gone, n + m) for (had, n), (gone, m) in zip(after, losses, strict=True)]
        kept = all((left > LOST * had).all() for (left, _), had in zip(after, before, strict=True))
        return after if kept else None

    def _streamed_moments(self, quantity: Quantity) -> TwoSided:
        total = moments.empty(self.num_samples, self._pool.signals.shape[3])
        for values, inside, usable in self.references(quantity):
            moments.add(total, values, inside, usable)
        for side in (total.inside, total.outside):
            side.mean[side.count[:, 0] == 0] = np.nan
        return total

    def _recompute(self, after: TwoSided, quantity: Quantity, columns: Int[np.ndarray, "chosen"]) -> None:
        """Replace some entries by what the references give directly."""
        recorded = recorded_name(quantity, self._pool.signals.names)
        chosen = columns + self._samples.start
        models = range(self._pool.num_models)
        rows = [self._pool.signals.row(recorded, model, self.checkpoint)[chosen] for model in models]
        exact = direct_moments(
            np.stack([value(quantity, recorded, row) for row in rows]),
            self._pool.membership.mask[:, chosen],
            np.stack([self._usable(model)[columns] for model in models]),
        )
        for old, new in ((after.inside, exact.inside), (after.outside, exact.outside)):
            old.squares[columns] = new.squares
            old.mean[columns] = np.where(new.count > 0, new.mean, np.nan)


def _added(parts: Iterator[TwoSided]) -> list[tuple[Row, float]]:
    """Squares and degrees of freedom of each side, summed over samples and parts."""
    sums: list[tuple[Row, float]] = [(np.zeros((1, 1)), 0.0)] * 2
    for part in parts:
        sides = (part.inside, part.outside)
        sums = [
            (a + column_sum(b.squares), n + float(b.freedom.sum()))
            for (a, n), b in zip(sums, sides, strict=True)
        ]
    return sums
