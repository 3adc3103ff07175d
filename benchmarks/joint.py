"""What the joint attack costs: sixteen targets against the training of four references, and its growth."""

from dataclasses import dataclass

import numpy as np
import torch

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
        found = _against_training(case, setting.rounds, warm)
        return [found, *(_growth(samples, case.landmarks) for samples in case.growth)]


def _against_training(case: Case, rounds: int, warm: bool) -> Row:
    ours, theirs = f"joint, {case.landmarks} landmarks", f"training of {REFERENCES} references"
    contenders = [
        Contender(ours, _attack(case.samples, case.landmarks, TARGETS), 1),
        Contender(theirs, _training(case), 1),
    ]
    found = interleave(contenders, rounds, warm_up=warm)
    return Row(
        figure=f"joint attack, {TARGETS} targets, {REFERENCES} references, {case.samples:,} samples, ms",
        ours=f"{ours}: {milliseconds(found.wall(ours), found.cpu(ours))}",
        against=f"{theirs}, MLP 446-128-30, {case.epochs} epochs, stacked",
        theirs=milliseconds(found.wall(theirs), found.cpu(theirs)),
        value=found.ratio(ours, theirs),
        unit="x",
        goal=LIMIT,
        quiet=found.quiet(ours, theirs),
    )


def _growth(samples: int, landmarks: int) -> Row:
    name = "joint"
    found = interleave([Contender(name, _attack(samples, landmarks, 1), 1)], rounds=1, warm_up=False)
    return Row(
        figure=f"joint attack, 1 target, {REFERENCES} references, {samples:,} samples, {landmarks} landmarks",
        ours=milliseconds(found.wall(name), found.cpu(name)),
        value=Spread.of([found.cpu(name).median]),
        unit="s",
        quiet=found.quiet(name),
    )


def _attack(samples: int, landmarks: int, targets: int):
    data = synthetic_bits(samples)
    random = seeds.generator(SEED, "joint")
    models = targets + REFERENCES + 32  # outside the references enough that no sample is always in or out
    member = random.random((models, samples)) < 0.5
    values = random.normal(size=member.shape) + 2.0 * member
    references = range(targets, targets + REFERENCES)

    def run() -> float:
        score(
            values, member, Joint(landmarks=landmarks), design="independent", labels=np.asarray(data.targets),
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
