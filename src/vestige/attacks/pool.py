"""Everything on record about a population of models, with cached totals over all of them."""

import itertools
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int, Integer, Shaped

from vestige.attacks.given import row_per_sample
from vestige.attacks.kernel import directions, num_copied, nystrom
from vestige.attacks.quantity import Quantity, Values, recorded_name, value
from vestige.attacks.surrogate import Responses, Surrogate
from vestige.core.errors import InputError
from vestige.data.membership import Membership
from vestige.signals.source import SignalSource
from vestige.stats import moments
from vestige.stats.moments import Row, TwoSided, column_sum

# Totals kept at once; an attack asks for one or two quantities at a checkpoint, so this spans a few attacks.
TOTALS_KEPT = 8

# Rows that are added while a block of totals is in cache; a store holds as many rows in memory.
ROWS_AT_ONCE = 32

Embeddings = Mapping[
    int, Any
]  # [samples features] each; not annotated, for a check would ask models for them

# Models outside the references, targets among them, beyond which one-sided references tell nothing.
MODELS_OUTSIDE = 8


@dataclass(frozen=True, eq=False)
class Pool:
    """The models, any of which may be the target and the others its references.

    signals: of every model at the candidate samples.
    membership: [models samples], who trained on what.
    labels: [samples], whole numbers; the pool numbers the classes 0, 1, ... in their order.
    features: [samples ...], the inputs or some description of them.
    embeddings: what models of this pool make of each sample, [samples features] by model number; -1 is a
      model outside the pool.
    publics: signals of every model at samples that no model trained on.
    public_labels: [publics].
    references: the models that targets are compared with; None means all others.

    Raises InputError when these disagree about the number of models or samples, and for references in the
    balanced design, whose coins tell each other.
    """

    signals: SignalSource
    membership: Membership
    labels: Integer[np.ndarray, "samples"] | None = None
    features: Shaped[np.ndarray, "samples ..."] | None = None
    embeddings: Embeddings | None = None
    publics: SignalSource | None = None
    public_labels: Integer[np.ndarray, "publics"] | None = None
    references: tuple[int, ...] | None = None
    _totals: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any], init=False, repr=False)
    _left_out: dict[int, Any] = field(default_factory=dict[int, Any], init=False, repr=False)
    _latest: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any], init=False, repr=False)
    _copied: dict[tuple[int, ...] | None, int] = field(
        default_factory=dict[tuple[int, ...] | None, int], init=False, repr=False
    )
    _surrogates: dict[Hashable, Responses] = field(
        default_factory=dict[Hashable, Responses], init=False, repr=False
    )

    def __post_init__(self) -> None:
        models, _, samples, _ = self.signals.shape
        if self.membership.mask.shape != (models, samples):
            raise InputError(
                f"membership has shape {self.membership.mask.shape} and the signals {(models, samples)}; "
                "both must be (models, samples)"
            )
        for name in ("labels", "features"):
            given = getattr(self, name)
            if given is not None and len(given) != samples:
                raise InputError(f"{name} has {len(given)} rows; give one for each of the {samples} samples")
        if self.publics is not None and self.publics.shape[0] != models:
            raise InputError(f"publics hold {self.publics.shape[0]} models and the signals {models}")
        self._number_classes()
        self._check_references(models)

    @property
    def num_models(self) -> int:
        """How many models there are."""
        return self.signals.shape[0]

    @property
    def num_samples(self) -> int:
        """How many candidate samples there are."""
        return self.signals.shape[2]

    @property
    def num_checkpoints(self) -> int:
        """How many checkpoints there are."""
        return self.signals.shape[1]

    def totals(self, quantity: Quantity, checkpoint: int) -> TwoSided:
        """The moments of the quantity over all models, [samples augmentations], inside = trained with it."""

        def compute() -> TwoSided:
            return _accumulate(self.signals, quantity, checkpoint, self.membership.mask)

        return self._kept(("candidates", quantity, checkpoint), compute)

    def total_squares(self, quantity: Quantity, checkpoint: int) -> list[Row]:
        """The squares of `totals` inside and outside, summed over samples."""

        def compute() -> list[Row]:
            totals = self.totals(quantity, checkpoint)
            return [column_sum(side.squares) for side in (totals.inside, totals.outside)]

        return self._kept(("squares", quantity, checkpoint), compute)

    def public_totals(self, quantity: Quantity, checkpoint: int) -> moments.Moments:
        """The moments of the quantity over all models at the public samples, [publics augmentations]."""
        source = self.publics
        assert source is not None

        def compute() -> moments.Moments:
            nobody = np.zeros((source.shape[0], source.shape[2]), bool)
            return _accumulate(source, quantity, checkpoint, nobody).outside

        return self._kept(("publics", quantity, checkpoint), compute)

    def left_out(self, target: int) -> int | Int[np.ndarray, "samples"]:
        """`Membership.left_out` as one number where it is the same for every sample (-1 for none)."""
        if target not in self._left_out:
            models = self.membership.left_out(target)
            same = int(models[0]) if models.min() == models.max() else None
            small = np.min_scalar_type(-self.num_models)
            self._left_out[target] = models.astype(small) if same is None else same
        return self._left_out[target]

    def may_refer(self, model: int) -> bool:
        """Whether targets are compared with this model at all."""
        return self.references is None or model in self.references

    def num_references(self, target: int) -> int:
        """How many references a target has for each sample, without itself and what is left out with it."""
        if self.membership.design == "balanced":  # where another model is left out for each sample
            return self.num_models - 2
        models = range(self.num_models) if self.references is None else self.references
        return len(set(models) - self._aside(target))

    def player_rows(self, most: int) -> int:
        """How many signals there are of references that play the target, with at most so many of them."""
        models = self.num_models if self.references is None else len(self.references)
        return min(models, most) * self.num_samples

    def num_spare(self, target: int) -> int:
        """How many models could be references of a target and are not."""
        if self.references is None:
            return 0
        return self.num_models - len(self._aside(target).union(self.references))

    def _aside(self, target: int) -> set[int]:
        """The target, and the model that is left out with it for every sample."""
        other = self.left_out(target)
        return {target, other} - {-1} if isinstance(other, int) else {target}

    def sides_tell_nothing(self) -> bool:
        """Whether references that are all on one side say nothing of a target's coin.

        No sample is in every model or in none, so few models outside the references would give it away. With
        this many the odds move by less than one in 500.
        """
        return self.references is not None and self.num_models - len(self.references) > MODELS_OUTSIDE

    def responses(self, sources: tuple[int, ...] | None, landmarks: int, seed: int) -> Responses:
        """How samples answer to training sets, kept once made.

        sources: by a kernel on what these models make of samples (the mean of their kernels' cosines); None:
          by one on features.

        Raises InputError when the pool lacks them or labels, or where they are not finite.
        """
        key = (sources, landmarks, seed)
        if key not in self._surrogates:
            described = self._described(sources)
            if described is None or self.labels is None:
                missing = (
                    "labels" if described is not None else "features" if sources is None else "embeddings"
                )
                raise InputError(f"{missing}=None: this attack needs {missing}, one row per sample")
            units = [directions(one) for one in described]
            joined = units[0] if len(units) == 1 else np.concatenate(units, 1) / np.sqrt(len(units))
            self._copied[sources] = num_copied(joined)
            mapped = nystrom(joined, landmarks, seed, np.float32)
            self._surrogates[key] = Responses(Surrogate(mapped, np.asarray(self.labels)))
        return self._surrogates[key]

    def num_copied(self, by_embeddings: bool) -> int:
        """How many samples a kernel that `responses` made, of this kind, cannot tell from another one."""
        known = [count for sources, count in self._copied.items() if (sources is not None) == by_embeddings]
        return max(known, default=0)

    def _described(self, sources: tuple[int, ...] | None) -> list[np.ndarray] | None:
        if sources is None:
            return None if self.features is None else [self.features]
        if not self.embeddings or not sources:
            return None
        described = [self.embeddings[model] for model in sources]
        for model, given in zip(sources, described, strict=True):
            row_per_sample("embeddings" if model < 0 else f"embeddings[{model}]", given, self.num_samples)
        return described

    def latest(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        """What `compute` gives, kept until another key is asked for; the key names all that it depends on."""
        if key not in self._latest:
            self._latest.clear()
            self._latest[key] = compute()
        return self._latest[key]

    def reference_counts(self, target: int) -> tuple[Int[np.ndarray, "samples"], Int[np.ndarray, "samples"]]:
        """How many references of this target trained with each sample, and how many without."""
        if self.references is not None:
            return self._restricted_counts(target, self.references)
        own = self.membership.mask[target]
        other = np.asarray(self.left_out(target)) >= 0
        inside = self._inside()
        return inside - (own | other), self.num_models - inside - (~own | other)

    def fewest_references(self) -> int:
        """No target has fewer references than this, for any sample on either side; -1 if not known."""
        if self.references is not None:
            return -1
        inside = self._inside()
        return int(min(inside.min(), self.num_models - inside.max())) - 1

    def _restricted_counts(
        self, target: int, references: tuple[int, ...]
    ) -> tuple[Int[np.ndarray, "samples"], Int[np.ndarray, "samples"]]:
        left_out = np.broadcast_to(np.asarray(self.left_out(target)), (self.num_samples,))
        rows = [model for model in references if model != target]
        usable = np.array(rows)[:, None] != left_out
        inside = (self.membership.mask[rows] & usable).sum(0)
        return inside, usable.sum(0) - inside

    def _number_classes(self) -> None:
        """Classes become 0, 1, ..., the same for candidates and publics; each is one column in a fit."""
        if self.labels is None:
            return
        publics = self.labels[:0] if self.public_labels is None else self.public_labels
        numbers = np.unique(np.concatenate([self.labels, publics]), return_inverse=True)[1]
        object.__setattr__(self, "labels", numbers[: self.num_samples])
        if self.public_labels is not None:
            object.__setattr__(self, "public_labels", numbers[self.num_samples :])

    def _check_references(self, models: int) -> None:
        if self.references is None:
            return
        wrong = [one for one in self.references if not 0 <= one < models]
        if wrong or not self.references or len(set(self.references)) < len(self.references):
            raise InputError(
                f"references={list(self.references)[:5]} must name different models from 0 to {models - 1}"
            )
        if self.membership.design == "balanced":
            raise InputError(
                "references= cannot be chosen in the balanced design, where coins tell each other; "
                "leave it out, so that every other model is a reference"
            )

    def _inside(self) -> Int[np.ndarray, "samples"]:
        """In how many models each sample is."""
        return self._kept("inside", lambda: self.membership.mask.sum(0))

    def _kept(self, key: Hashable, compute: Callable[[], Any]) -> Any:
        if key not in self._totals:
            while len(self._totals) >= TOTALS_KEPT:
                del self._totals[next(iter(self._totals))]
            self._totals[key] = compute()
        return self._totals[key]


def _accumulate(
    source: SignalSource, quantity: Quantity, checkpoint: int, mask: Bool[np.ndarray, "models samples"]
) -> TwoSided:
    models, _, samples, augmentations = source.shape
    recorded = recorded_name(quantity, source.names)
    total = moments.empty(samples, augmentations)
    for start in range(0, models, ROWS_AT_ONCE):
        group = range(start, min(start + ROWS_AT_ONCE, models))
        rows = [np.asarray(source.row(recorded, model, checkpoint)) for model in group]
        for block in moments.blocks(samples):
            part = total.at(block)
            for model, row in zip(group, rows, strict=True):
                moments.add(part, value(quantity, recorded, row[block]), mask[model, block])
    return total.with_common_counts()


def direct_moments(
    values: Float64[np.ndarray, "references samples augmentations"],
    inside: Bool[np.ndarray, "references samples"],
    usable: Bool[np.ndarray, "references samples"],
) -> TwoSided:
    """The moments over the usable references, computed from their values."""
    total = moments.empty(*values.shape[1:])
    for row, side, use in zip(values, inside, usable, strict=True):
        moments.add(total, row, side, use)
    return total


def gather(
    row_of: Callable[[int], Shaped[np.ndarray, "samples augmentations"]],
    models: Int[np.ndarray, "samples"],
) -> Values:
    """For each sample its row entry of the model named there; NaN where the number is negative."""
    order = np.argsort(models, kind="stable")
    ordered = models[order]
    starts = np.searchsorted(ordered, np.arange(int(ordered[-1]) + 2))
    result: Values | None = None
    for model, (start, stop) in enumerate(itertools.pairwise(starts)):
        if start == stop:
            continue
        row = row_of(model)
        if result is None:
            result = np.full(row.shape, np.nan)
        result[order[start:stop]] = row[order[start:stop]]
    assert result is not None
    return result
