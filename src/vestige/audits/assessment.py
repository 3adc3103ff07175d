"""From signals to findings: every model a target in turn, no training, the same for anybody's signals."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64, Shaped

from vestige.attacks.pool import Pool
from vestige.attacks.protocol import Attack
from vestige.attacks.score import stream
from vestige.audits.step import Listener, Step, counted, silent
from vestige.data.membership import Membership
from vestige.motion.analysis import dynamics
from vestige.motion.learnability import Depths, learnability
from vestige.risk.blind import blind_baseline
from vestige.risk.control import Control, foreign_coins, negative_control, positive_control
from vestige.risk.curve import RocCurve, roc_curve
from vestige.risk.decisions import Decisions
from vestige.risk.difficulty import AccuracyOverTime, Difficulty, accuracy_over_time, difficulty
from vestige.risk.dynamics import Dynamics
from vestige.risk.estimate import unsupported
from vestige.risk.operating_point import OperatingPoint, PopulationFPR
from vestige.risk.plane import Plane
from vestige.risk.region import NAMED, Regions
from vestige.risk.summary import AttackSummary, summarize
from vestige.signals.source import SignalSource


@dataclass(frozen=True, eq=False)
class Subject:
    """What is assessed: signals, coins, and what is known of the samples.

    ids: each sample's row in the user's file; epochs: when each checkpoint was taken.
    inputs: for the blind baseline; None where they are not at hand.
    point: where targets name samples; regions: of the plane.
    mislabelled: the samples that were given a wrong label on purpose.
    depths: gives the prediction depths of some models, where the models themselves are at hand.
    embeddings: what models make of the samples, by model number, where they are at hand.
    """

    signals: SignalSource
    membership: Membership
    labels: Int64[np.ndarray, "samples"] | None
    ids: Int64[np.ndarray, "samples"]
    epochs: Float[np.ndarray, "checkpoints"]
    inputs: Shaped[np.ndarray, "samples ..."] | None = None
    seed: int = 0
    point: OperatingPoint = field(default_factory=PopulationFPR)
    regions: Regions = NAMED
    depths: Depths | None = None
    mislabelled: Bool[np.ndarray, "samples"] | None = None
    embeddings: Mapping[int, Any] | None = None

    def pool(self) -> Pool:
        """The pool that attacks read."""
        return Pool(
            self.signals,
            self.membership,
            labels=self.labels,
            features=self.inputs,
            embeddings=self.embeddings,
        )


Keep = Callable[[str, Float64[np.ndarray, "targets samples"]], None]


@dataclass(frozen=True, eq=False)
class Assessment:
    """What was found; the first attack is the headline.

    headline: its scores at the last checkpoint, [targets samples]. curves, summaries: one per attack.
    dynamics: None with one checkpoint only. hardness: by measure, [samples], on half of the models.
    """

    subject: Subject
    attacks: tuple[Attack, ...]
    headline: Float64[np.ndarray, "targets samples"]
    curves: tuple[RocCurve, ...]
    summaries: tuple[AttackSummary, ...]
    decisions: Decisions
    plane: Plane
    controls: tuple[Control, ...]
    difficulty: Difficulty
    accuracy: AccuracyOverTime | None
    dynamics: Dynamics | None
    hardness: dict[str, Float64[np.ndarray, "samples"]]


def assess(subject: Subject, attacks: tuple[Attack, ...], keep: Keep, listener: Listener) -> Assessment:
    """Run the attacks, place every sample on the plane, and check the audit by its controls.

    keep: called with each attack's name and final scores, which are then let go: scores of one attack
      and of the headline are all that is held at a time.
    """
    pool, mask = subject.pool(), subject.membership.mask
    clusters = subject.membership.clusters()
    decisions, headline = _follow(pool, attacks[0], subject, listener)
    curves: list[RocCurve] = []
    summaries: list[AttackSummary] = []
    beside: list[Control] = []  # of attacks that take all candidates together and might see who is whose
    for attack in attacks:
        scores = headline if attack is attacks[0] else final_scores(pool, attack, listener)
        keep(attack.name, scores)
        if attack.is_transductive and attack is not attacks[0]:
            found = foreign_coins(scores, mask, clusters)
            beside.append(replace(found, name=f"{found.name}, {attack.name}"))
        curves.append(roc_curve(scores, mask, clusters, attack=attack.name))
        small_print = attack.describe()
        summaries.append(
            summarize(
                scores,
                mask,
                clusters,
                attack=attack.name,
                small_print=small_print,
                transductive=attack.is_transductive,
                notes=attack.notes(pool),
                seed=subject.seed,
            )
        )
    plane = decisions.plane(subject.regions)
    moved, hardness = _dynamics(pool, attacks[0], subject, decisions, plane, listener)
    return Assessment(
        subject,
        attacks,
        headline,
        tuple(curves),
        tuple(summaries),
        decisions,
        plane,
        (*_controls(subject, attacks[0], headline, listener), *beside),
        difficulty(subject.signals, mask),
        accuracy_over_time(subject.signals, mask),
        moved,
        hardness,
    )


def final_scores(pool: Pool, attack: Attack, listener: Listener) -> Float64[np.ndarray, "targets samples"]:
    """The attack's scores of every target at the last checkpoint."""
    values = np.empty((pool.num_models, pool.num_samples))
    rows = stream(pool, attack, checkpoints=[pool.num_checkpoints - 1])
    for target, _, row in counted(rows, attack.name, pool.num_models, "targets", listener):
        values[target] = row
    return values


def _follow(
    pool: Pool, attack: Attack, subject: Subject, listener: Listener
) -> tuple[Decisions, Float64[np.ndarray, "targets samples"]]:
    """The decisions at all checkpoints, and the scores at the last one."""
    decisions = Decisions(subject.membership.mask, subject.epochs, subject.point)
    last = np.empty((pool.num_models, pool.num_samples))
    total = pool.num_models * pool.num_checkpoints
    rows = stream(pool, attack)
    for target, checkpoint, row in counted(rows, attack.name, total, "targets x checkpoints", listener):
        decisions.add(target, checkpoint, row)
        if checkpoint == pool.num_checkpoints - 1:
            last[target] = row
    return decisions, last


def _dynamics(
    pool: Pool, attack: Attack, subject: Subject, decisions: Decisions, plane: Plane, listener: Listener
) -> tuple[Dynamics | None, dict[str, Float64[np.ndarray, "samples"]]]:
    """The motion on the plane and what hardness has to do with it; nothing with one checkpoint."""
    if pool.num_checkpoints < 2:
        return None, {}
    listener(Step("dynamics", 0, 2, "parts", 0.0))
    start = time.perf_counter()
    learned = learnability(
        pool, attack, subject.epochs, subject.point, subject.regions, depths=subject.depths, seed=subject.seed
    )
    listener(Step("dynamics", 1, 2, "parts", time.perf_counter() - start))
    moved = dynamics(
        decisions,
        plane,
        subject.membership.clusters(),
        attack=attack.name,
        associations=learned.associations,
        notes=(learned.note,),
        seed=subject.seed,
    )
    listener(Step("dynamics", 2, 2, "parts", time.perf_counter() - start))
    return moved, learned.hardness


def _controls(
    subject: Subject, attack: Attack, scores: Float64[np.ndarray, "targets samples"], listener: Listener
) -> tuple[Control, ...]:
    membership = subject.membership
    mask, clusters, targets = membership.mask, membership.clusters(), np.arange(membership.num_models)

    def run(signals: SignalSource) -> Float64[np.ndarray, "targets samples"]:
        pool = replace(subject, signals=signals).pool()
        return final_scores(pool, attack, silent)

    checks = [
        lambda: positive_control(run, subject.signals, mask, targets),
        lambda: negative_control(run, mask, targets, subject.seed),
        lambda: foreign_coins(scores, mask, clusters),
        lambda: _blind(subject, clusters),
    ]
    return tuple(check() for check in counted(checks, "controls", len(checks), "controls", listener))


def _blind(subject: Subject, clusters: Int64[np.ndarray, "models"]) -> Control:
    if subject.inputs is None or subject.labels is None:
        note = "The samples themselves are not at hand."
        return Control(
            name="blind baseline",
            purpose="Finds members that differ by themselves.",
            expectation="AUC not clearly above 0.5",
            estimate=unsupported(note),
            passed=None,
            note=note,
        )
    return blind_baseline(subject.inputs, subject.labels, subject.membership.mask, clusters, subject.seed)
