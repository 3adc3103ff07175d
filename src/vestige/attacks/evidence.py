"""What a target and its references say about every sample, as arrays."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from vestige.attacks.protocol import SCALED_LOGIT
from vestige.attacks.queries import average
from vestige.attacks.view import AttackView
from vestige.core.record import content_hash

Values = Float64[np.ndarray, "references samples"]
Mask = Bool[np.ndarray, "references samples"]
Samples = Float64[np.ndarray, "samples"]


@dataclass(frozen=True, eq=False)
class Side:
    """References with one coin at each sample: how many, their mean (0 without any), and squares about it."""

    count: Samples
    mean: Samples
    squares: Samples

    @property
    def freedom(self) -> Samples:
        """Degrees of freedom of the squares."""
        return np.maximum(self.count - 1, 0)


@dataclass(frozen=True, eq=False)
class Evidence:
    """Signals of one target and its references, queries averaged.

    target: [samples]. values: [references samples]. inside: where a reference trained on the sample. usable:
    where it may be compared with the target; inside is false where this is. models: the numbers of the
    references.
    """

    target: Samples
    values: Values
    inside: Mask
    usable: Mask
    models: tuple[int, ...]

    @property
    def sides(self) -> tuple[Side, Side]:
        """OUT references, then IN references."""
        return side(self.values, self.usable & ~self.inside), side(self.values, self.inside)

    def coins(self) -> Float64[np.ndarray, "references samples"]:
        """1 where a reference trained on the sample, 0 where not, the share of members where unknown."""
        return np.where(self.usable, self.inside, self.rate)

    def digest(self) -> str:
        """A hash of all that the references say; targets of the same references share it."""
        return content_hash([self.values, self.inside, self.usable])

    @property
    def rate(self) -> float:
        """The share of members among all coins of the references."""
        return float(self.inside.sum() / self.usable.sum())

    def of_pseudo_target(self, view: AttackView, reference: int) -> "Evidence":
        """The evidence with a reference, by its place here, in the part of the target."""
        usable = view.pseudo_view(self.models[reference]).usable_references(self.models)
        return Evidence(self.values[reference], self.values, self.inside & usable, usable, self.models)

    def with_target(self, target: Samples) -> "Evidence":
        """The same with other values of the target."""
        return Evidence(target, self.values, self.inside, self.usable, self.models)

    def replaced(self, values: Values) -> "Evidence":
        """The same with other values of the references."""
        return Evidence(self.target, values, self.inside, self.usable, self.models)


def evidence(view: AttackView) -> Evidence:
    """The scaled logits of a view's target and references."""
    models = view.reference_models()
    usable = view.usable_references(models)
    rows = np.stack([average(view.reference(SCALED_LOGIT, model)) for model in models])
    inside = np.stack([view.member_of_reference(model) for model in models])
    return Evidence(average(view.target(SCALED_LOGIT)), rows, inside, usable, models)


def pseudo_targets(found: Evidence, most: int) -> list[int]:
    """The places of at most so many references, spread evenly, that are to play the target."""
    count = len(found.models)
    return sorted({round(place) for place in np.linspace(0, count - 1, min(most, count)).tolist()})


def side(values: Values, chosen: Mask) -> Side:
    """The moments of the chosen values of each sample."""
    count = chosen.sum(0).astype(np.float64)
    mean = np.where(chosen, values, 0.0).sum(0) / np.maximum(count, 1)
    squares = np.where(chosen, (values - mean) ** 2, 0.0).sum(0)
    return Side(count, mean, squares)
