"""What the joint attack costs: sixteen targets against the training of four references, and its growth.

`python -m benchmarks.joint SAMPLES LANDMARKS` scores one target in a process of its own and tells the cost.
"""

import dataclasses
import sys
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.apart import apart, tell
from benchmarks.measure import Contender, Spread, interleave
from benchmarks.problem import SEED, Problem, synthetic_bits
from benchmarks.row import Goal, Row, milliseconds
from benchmarks.setting import Setting
from vestige.attacks.joint import Joint
from vestige.attacks.score import score
from vestige.core import seeds
from vestige.signals.measure import Observation
from vestige.training import engines
from vestige.training.arithmetic import configure, restored
from vestige.training.engine import Job, Material

TARGETS, REFERENCES = 16, 4
LIMIT = Goal(1.0, smaller_is_better=True)
MEMORY = Goal(8.0, smaller_is_better=True)  # GB, at the largest size
FORMS = (Joint(), Joint(stacked=True))


@dataclass(frozen=True)
class Case:
    """Samples, the epochs of a training, landmarks of the kernel, and sizes at which growth is told."""

    samples: int
    epochs: int
    landmarks: int
    growth: tuple[int, ...]


CASES = {
    "full": Case(4500, 40, 500, (5_000, 50_000)),
    "quick": Case(1500, 40, 250, (1_500, 6_000)),
    "toy": Case(60, 1, 10, (60,)),
}


def rows(setting: Setting) -> list[Row]:
    case = setting.size(CASES)
    warm = setting.scale != "toy"
    with restored():
        configure(threads=1)
        against = _against_training(case, setting.rounds, warm)
    growth = [row for samples in case.growth for row in _growth(samples, case.landmarks)]
    return [*against, *growth]


def _against_training(case: Case, rounds: int, warm: bool) -> list[Row]:
    theirs = f"training of {REFERENCES} references"
    forms = [dataclasses.replace(form, landmarks=case.landmarks) for form in FORMS]
    contenders = [Contender(form.name, _attack(case.samples, form, TARGETS), 1) for form in forms]
    found = interleave([*contenders, Contender(theirs, _training(case), 1)], rounds, warm_up=warm)
    return [
        Row(
            figure=f"{ours}, {TARGETS} targets, {REFERENCES} references, {case.samples:,} samples, ms",
            ours=milliseconds(found.wall(ours), found.cpu(ours)),
            against=f"{theirs}, MLP 446-128-30, {case.epochs} epochs, stacked",
            theirs=milliseconds(found.wall(theirs), found.cpu(theirs)),
            value=found.ratio(ours, theirs),
            unit="x",
            goal=LIMIT,
            quiet=found.quiet(ours, theirs),
        )
        for ours in (form.name for form in forms)
    ]


def _growth(samples: int, landmarks: int) -> list[Row]:
    used = apart("benchmarks.joint", samples, landmarks)
    what = f"{FORMS[-1].name}, 1 target, {REFERENCES} references, {samples:,} samples, {landmarks} landmarks"
    return [
        Row(figure=f"CPU of {what}", value=Spread.of([used.cpu]), unit="s"),
        Row(
            figure=f"peak memory of {what}",
            ours=used.memory,
            value=Spread.of([used.peak * 1e-9]),
            unit="GB",
            goal=MEMORY,
        ),
    ]


def main(samples: str, landmarks: str) -> None:
    configure(threads=1)
    tell(_attack(int(samples), dataclasses.replace(FORMS[-1], landmarks=int(landmarks)), 1))


def _attack(samples: int, attack: Joint, targets: int):
    data = synthetic_bits(samples)
    random = seeds.generator(SEED, "joint")
    models = targets + REFERENCES + 32  # outside the references enough that no sample is always in or out
    member = random.random((models, samples)) < 0.5
    values = random.normal(size=member.shape) + 2.0 * member
    references = range(targets, targets + REFERENCES)

    def run() -> float:
        score(
            values, member, attack, design="independent", labels=np.asarray(data.targets),
            features=np.asarray(data.inputs), targets=range(targets), references=references,
        )  # fmt: skip
        return 0.0

    return run


def _training(case: Case):
    problem = Problem(
        dataset=synthetic_bits(case.samples),
        model="mlp-128",
        epochs=case.epochs,
        checkpoints=1,
        batch_size=64,
    )
    recipe = problem.recipe()
    material = Material.of(problem.dataset, torch.device("cpu"))
    random = np.random.default_rng(SEED)
    halves = tuple(np.sort(random.permutation(case.samples)[: case.samples // 2]) for _ in range(REFERENCES))
    job = Job(tuple(range(REFERENCES)), halves, SEED)
    never = Observation(checkpoints=(recipe.epochs + 1,))

    def run() -> float:
        engines.named("stacked")(recipe, material, job, never, lambda _: None)
        return 0.0

    return run


if __name__ == "__main__":
    main(*sys.argv[1:])
