"""A made-up audit of 32 models: hard records leak late in training, the others hardly."""

from dataclasses import dataclass

import numpy as np

from vestige.data.membership import Membership, paired
from vestige.risk.control import Control
from vestige.risk.coverage import coverage
from vestige.risk.decisions import Decisions
from vestige.risk.estimate import Estimate
from vestige.risk.exposure import exposure
from vestige.risk.identity import Accuracy, Fact, Identity, Provenance, online_attacker
from vestige.risk.plane import Plane
from vestige.risk.result import AuditResult
from vestige.risk.sentences import claim
from vestige.risk.summary import summarize
from vestige.risk.verdict import Policy, judge

EPOCHS = np.array([0.0, 1, 2, 4, 7, 10, 15, 20, 30])
ATTACKS = {"lira-online-fixed": 1.0, "lira-online": 0.95, "rmia-online": 0.9, "loss": 0.35}


@dataclass(frozen=True)
class Material:
    membership: Membership
    scores: dict[str, np.ndarray]
    plane: Plane
    ids: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]


def material(targets=32, samples=1200, leak=1.0, seed=0):
    rng = np.random.default_rng(seed)
    membership = paired(targets, samples, seed)
    trace = leak * rng.gamma(0.5, 2.0, samples)  # few records carry most of it
    growth = 1 - np.exp(-EPOCHS / 8)
    counter = Decisions(membership.mask, EPOCHS)
    noise = rng.standard_normal((targets, samples))
    for checkpoint, grown in enumerate(growth):
        fresh = 0.8 * noise + 0.6 * rng.standard_normal((targets, samples))
        values = fresh + grown * trace * membership.mask
        for target in range(targets):
            counter.add(target, checkpoint, values[target])
    final = {
        name: values * weight + (1 - weight) * rng.standard_normal(values.shape)
        for name, weight in ATTACKS.items()
    }
    labels = rng.integers(0, 10, samples)
    names = tuple(f"place {i}" for i in range(10))
    return Material(membership, final, counter.plane(), np.arange(samples) + 1000, labels, names)


def control(name, value, passed):
    estimate = Estimate(value=value, low=value - 0.01, high=value + 0.01, method="over targets")
    return Control(
        name=name, purpose=f"Checks {name}.", expectation="AUC at 0.5", estimate=estimate, passed=passed
    )


def controls(broken=False):
    return (
        control("blind baseline", 0.71 if broken else 0.502, not broken),
        control("positive control", 0.98, True),
        control("negative control", 0.499, True),
        control("foreign coins", 0.501, True),
    )


def audit(found: Material, policy: Policy | None = None, broken=False) -> AuditResult:
    mask, clusters = found.membership.mask, found.membership.clusters()
    attacks = tuple(
        summarize(values, mask, clusters, attack=name, small_print="fixed variance, one-sided")
        for name, values in found.scores.items()
    )
    attacker = online_attacker(len(mask), len(mask) - 2, (Fact(name="Time", value="41 s on 2 cores"),))
    date = "2026-01-31T12:00:00Z"
    tested = controls(broken)
    return AuditResult(
        identity=Identity(
            title="Location30, MLP 446-128-30",
            model="mlp",
            dataset="location30",
            samples=mask.shape[1],
            classes=10,
            checkpoint="epoch 30 (last)",
            date=date,
            tool_version="0.1.0",
        ),
        recipe=(Fact(name="Epochs", value="30"), Fact(name="Optimizer", value="SGD, learning rate 0.05")),
        attacker=attacker,
        coverage=coverage(tuple(found.scores), augmentations=1, checkpoints=len(EPOCHS)),
        controls=tested,
        attacks=attacks,
        claim=claim(attacks[0], attacker.summary, date),
        verdict=judge(policy, attacks[0], tested),
        exposure=exposure(
            found.plane, found.ids, found.labels, attack=attacks[0].attack, class_names=found.class_names
        ),
        dynamics=None,
        accuracies=(
            Accuracy(part="members", models=len(mask), mean=0.998, sd=0.001, minimum=0.996, maximum=1.0),
            Accuracy(
                part="non-members", models=len(mask), mean=0.701, sd=0.006, minimum=0.688, maximum=0.713
            ),
        ),
        warnings=("The references were trained on 3 % fewer records than the target.",),
        provenance=Provenance(
            command="vestige audit location30 --models 32",
            python_call='vestige.audit("location30", models=32)',
            seeds=(Fact(name="root", value="0"),),
            versions=(Fact(name="vestige", value="0.1.0"), Fact(name="torch", value="2.13.0")),
            hashes=(Fact(name="Data hash", value="8f3a" * 10),),
            timings=(Fact(name="training", value="31.2 s"),),
        ),
        report="vestige-runs/location30/report.html",
    )
