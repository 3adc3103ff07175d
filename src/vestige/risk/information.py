"""What was found about information: the part of an audit that is told in nats."""

import json
from dataclasses import dataclass

from vestige.risk.document import to_plain
from vestige.risk.estimate import Estimate

SCHEMA_VERSION = 1
HOLDS, WITHIN_ERROR, FAILS = "holds", "within error", "fails"
ATTACKS, LIMIT = "what attacks show", "the limit from above"


@dataclass(frozen=True, kw_only=True)
class Amount:
    """One quantity over all records at the last checkpoint.

    name: as tables hold it, for example "kl". title: for readers. unit: "nats", or "" for pure numbers.
    definition: the estimator, and on which side of the truth it lies.
    mean: over records, its interval over models. median, q90, q99, largest: over records.
    by_chance: the mean that the same estimator gives where coins are drawn anew, so that nothing is leaked.
    """

    name: str
    title: str
    unit: str
    definition: str
    mean: Estimate
    median: float
    q90: float
    q99: float
    largest: float
    by_chance: float | None = None


@dataclass(frozen=True, kw_only=True)
class AttackBound:
    """What one attack shows at least, on average over the records.

    kl, kl_reverse, mutual_information in nats; advantage from 0 to 1. Each is a one-sided limit: `low` is
    None, as nothing lies below it, and `confidence` is such that the largest over all attacks holds at 95 %.
    """

    attack: str
    kl: Estimate
    kl_reverse: Estimate
    mutual_information: Estimate
    advantage: Estimate


@dataclass(frozen=True, kw_only=True)
class Check:
    """Whether one inequality of a bracket holds: left <= right.

    excess: left - right, in the unit of the bracket; above 0 it fails. word: "holds", "within error" where
    the intervals allow it to hold, else "fails".
    """

    left: str
    right: str
    excess: float
    word: str


@dataclass(frozen=True, kw_only=True)
class Bracket:
    """One quantity from below, estimated, and from above; means over the records.

    lower: the largest bound of any attack. estimates: one per estimator, without a value where it has none.
    upper: no value where nothing bounds the quantity; `note` then says why.
    """

    name: str
    title: str
    unit: str
    lower: Estimate
    estimates: tuple[Estimate, ...]
    upper: Estimate
    checks: tuple[Check, ...]

    @property
    def failures(self) -> tuple[Check, ...]:
        """The inequalities that fail by more than their intervals allow."""
        return tuple(check for check in self.checks if check.word == FAILS)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How the estimated KL goes with what an attack does to the same records: Spearman, over records."""

    attack: str
    outcome: str
    rank_correlation: Estimate


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """The TPR at one FPR: measured, as normal laws of that divergence give it, and the most they allow.

    measured: of the headline attack, all targets under one threshold. expected: mean over records of a
    normal law moved by sqrt(2 KL). limit: the largest TPR that the mean divergences leave to any attack.
    """

    fpr: float
    measured: Estimate
    expected: float
    limit: float


@dataclass(frozen=True, kw_only=True)
class CheckpointAmount:
    """The estimated KL over records at one checkpoint, in nats."""

    epoch: float
    mean: Estimate
    q99: Estimate


@dataclass(frozen=True, kw_only=True)
class Information:
    """Everything an audit tells in nats; divergences compare models trained with a record and without it.

    models_in, models_out: fewest on either side of any record. headline: the attack named beforehand.
    randomness: what is random, without which nothing here were finite.
    source_of_upper: where the bounds from above come from, or why there are none.
    estimators: of the brackets, in words, in the order of each bracket's estimates.
    """

    records: int
    models: int
    clusters: int
    models_in: int
    models_out: int
    headline: str
    randomness: str
    source_of_upper: str
    estimators: tuple[str, ...]
    amounts: tuple[Amount, ...]
    attack_bounds: tuple[AttackBound, ...]
    brackets: tuple[Bracket, ...]
    agreements: tuple[Agreement, ...]
    consistency: tuple[Consistency, ...]
    by_checkpoint: tuple[CheckpointAmount, ...]
    notes: tuple[str, ...]

    def amount(self, name: str) -> Amount | None:
        """The quantity of that name; None where it was not estimated."""
        return next((amount for amount in self.amounts if amount.name == name), None)

    def bracket(self, name: str) -> Bracket | None:
        """The bracket of the quantity of that name."""
        return next((bracket for bracket in self.brackets if bracket.name == name), None)

    def to_json(self) -> str:
        """The whole as JSON with a schema version; never NaN."""
        document = {"schema_version": SCHEMA_VERSION, **to_plain(self)}
        return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
