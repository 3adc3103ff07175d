"""Rates of attacks that share targets and references, for several draws of both."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from vestige.attacks.catalog import by_name
from vestige.attacks.hierarchical import Hierarchical
from vestige.attacks.joint import Joint
from vestige.attacks.protocol import Attack
from vestige.attacks.score import score
from vestige.attacks.scores import Scores
from vestige.core import seeds
from vestige.core.files import replacing
from vestige.core.record import LATER, content_hash, plain
from vestige.stats.roc import roc
from vestige.studies.joint_bound import KnownOthers
from vestige.studies.joint_population import TARGETS, Trained

PUBLISHED = ("lira-online-fixed", "rmia-online", "base-online", "student-t")
FPRS = (0.001, 0.01)
SOURCES = 4  # references whose embeddings are made
FORMAT = 4  # raised whenever the same trial would be scored otherwise
PLAYERS = 4  # references that play the target for a threshold


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One question to a population: how many references, which attacks, and what is changed.

    known: the share of the samples that the attacker holds as candidates. shuffled: with coins that belong to
    other models. calibrated: with rates at thresholds of references that play the target beside the others.
    bounded: the joint attack whose bound, with the others' coins known, stands beside the attacks.
    timed: with the processor seconds that scoring all targets took, embeddings among them.
    """

    references: int
    attacks: tuple[Attack, ...]
    known: float = 1.0
    shuffled: bool = False
    calibrated: bool = field(default=False, metadata=LATER)
    bounded: Joint | None = field(default=None, metadata=LATER)
    timed: bool = field(default=False, metadata=LATER)

    @property
    def name(self) -> str:
        """For tables."""
        changes = {
            f"{self.known:.0%} known": self.known < 1,
            "shuffled coins": self.shuffled,
            "thresholds of references": self.calibrated,
            "part by part": self.bounded is not None,
            "timed": self.timed,
        }
        return ", ".join(
            [f"{self.references} references", *(name for name, holds in changes.items() if holds)]
        )


def attacks_of(kernel: str) -> tuple[Attack, ...]:
    """The published attacks and the steps from the hierarchical ratio to the joint one."""
    kernels = ("inputs",) if kernel == "inputs" else ("inputs", kernel)
    return (
        *(by_name(name) for name in PUBLISHED),
        Hierarchical(),
        Hierarchical(stacked=True),
        *(Joint(kernel=one, stacked=stacked) for one in kernels for stacked in (False, True)),
    )


def rates(found: Trained, trial: Trial, draw: int, fixed_targets: bool = False) -> pd.DataFrame:
    """One row per attack and target: AUC, TPR at each rate, and the AUC against another target's coins.

    Targets and references are drawn anew for each draw; no target is a reference of another. What is on
    record is read again.
    """
    key = content_hash([FORMAT, found.plan.key, plain(trial), draw, fixed_targets])[:16]
    path = found.folder / "rates" / f"{key}.parquet"
    if not path.exists():
        table = _measured(found, trial, draw, fixed_targets)
        with replacing(path) as temporary:
            table.to_parquet(temporary, index=False)
    return pd.read_parquet(path)


def _measured(found: Trained, trial: Trial, draw: int, fixed_targets: bool) -> pd.DataFrame:
    drawn = _Drawn.of(found, trial, draw, fixed_targets)
    tables = [_of_attack(drawn, trial, attack) for attack in trial.attacks]
    if trial.bounded is not None:
        tables.append(_rows(drawn.bound(trial.bounded)))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "trial", trial.name)
    table.insert(1, "draw", draw)
    return table


def _of_attack(drawn: "_Drawn", trial: Trial, attack: Attack) -> pd.DataFrame:
    start = time.process_time()
    scores = drawn.score(attack, drawn.targets)
    took = time.process_time() - start
    table = _rows(scores)
    if trial.timed:
        table["seconds"] = took + drawn.embedding_seconds * attack.needs.embeddings
    if trial.calibrated:
        players = drawn.score(attack, drawn.references[:PLAYERS])
        table = table.join(_at_threshold_of(players, scores))
    return table


@dataclass(frozen=True, eq=False)
class _Drawn:
    """One draw of a trial: who is judged by whom, on which samples, with which coins.

    embedding_seconds: of a processor that the embeddings took.
    """

    found: Trained
    kept: Int64[np.ndarray, "kept"]
    member: Bool[np.ndarray, "models kept"]
    targets: list[int]
    references: list[int]
    embeddings: Mapping[int, np.ndarray] | None
    embedding_seconds: float

    @classmethod
    def of(cls, found: Trained, trial: Trial, draw: int, fixed_targets: bool) -> "_Drawn":
        random = seeds.generator(found.plan.seed, "draw", draw)
        targets, references = _drawn(len(found.values), trial.references, fixed_targets, random)
        kept = np.sort(random.permutation(len(found.labels))[: round(trial.known * len(found.labels))])
        member = np.roll(found.member, 1, axis=0) if trial.shuffled else found.member
        start = time.process_time()
        embeddings = None
        if any(attack.needs.embeddings for attack in trial.attacks):
            embeddings = {model: found.embeddings[model][kept] for model in references[:SOURCES]}
        took = time.process_time() - start
        return cls(found, kept, member[:, kept], targets, references, embeddings, took)

    def score(self, attack: Attack, models: list[int]) -> Scores:
        """The attack on these models, by the references that were drawn."""
        return score(
            self.found.values[:, self.kept], self.member, attack, labels=self.found.labels[self.kept],
            features=self.found.features[self.kept], embeddings=self.embeddings, targets=models,
            references=self.references,
        )  # fmt: skip

    def bound(self, joint: Joint) -> Scores:
        """What the attack could reach on each target if it knew all other coins."""
        parts = [self.score(KnownOthers.of(joint, self.member[one]), [one]) for one in self.targets]
        return _together(parts)


def _together(parts: list[Scores]) -> Scores:
    """The scores of one target each as those of all."""
    values, member = (np.concatenate([getattr(one, name) for one in parts]) for name in ("values", "member"))
    targets = tuple(target for one in parts for target in one.targets)
    return replace(parts[0], values=values, member=member, targets=targets)


def _at_threshold_of(players: Scores, scores: Scores) -> pd.DataFrame:
    """TPR and FPR of each target where the threshold has each rate on references that play the target."""
    known, values = (np.nan_to_num(one.values, nan=0.0) for one in (players, scores))
    others = np.sort(known[~players.member])[::-1]
    columns: dict[str, Float64[np.ndarray, "targets"]] = {}
    for rate in FPRS:
        named = values > others[int(rate * len(others))]  # so that at most that share of them is above
        columns[f"tpr@reference {rate:g}"] = (named & scores.member).sum(1) / scores.member.sum(1)
        columns[f"fpr@reference {rate:g}"] = (named & ~scores.member).sum(1) / (~scores.member).sum(1)
    return pd.DataFrame(columns)


def _drawn(
    models: int, count: int, fixed_targets: bool, random: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Targets, the first models or any, and references among the others."""
    if fixed_targets:
        others = TARGETS + random.permutation(models - TARGETS)
        return list(range(TARGETS)), others[:count].tolist()
    order = random.permutation(models)
    return order[:TARGETS].tolist(), order[TARGETS:][:count].tolist()


def _rows(scores: Scores) -> pd.DataFrame:
    values = np.nan_to_num(scores.values, nan=0.0)  # no evidence: references all on one side
    foreign = np.roll(scores.member, 1, axis=0)
    rows: list[dict[str, object]] = []
    for row, own, other, target in zip(values, scores.member, foreign, scores.targets, strict=True):
        curve = roc(row, own)
        rates = {f"tpr@{fpr:g}": curve.tpr_at(fpr) for fpr in FPRS}
        nothing = roc(row, other).auc
        rows.append(
            {
                "attack": scores.attack,
                "target": target,
                "auc": curve.auc,
                "foreign": nothing,
                **rates,
            }
        )
    return pd.DataFrame(rows)
