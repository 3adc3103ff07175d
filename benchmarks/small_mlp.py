"""The Location30 perceptron 446-128-30: our stacked engine against plain loops."""

from dataclasses import dataclass

from benchmarks import loops
from benchmarks.problem import Problem, location30
from benchmarks.race import Race
from benchmarks.row import Goal, Row, quantity
from benchmarks.setting import Setting

GOALS = {
    ("float32", "clean DataLoader loop"): Goal(5, 8),
    ("bf16", "clean DataLoader loop"): Goal(8, 12),
    ("float32", "ML Privacy Meter's loop, workers=0"): Goal(8, 16),
    ("bf16", "ML Privacy Meter's loop, workers=0"): Goal(8, 16),
    ("float32", "ML Privacy Meter's loop, defaults"): Goal(25, 60),
    ("bf16", "ML Privacy Meter's loop, defaults"): Goal(25, 60),
}
LOOPS = {
    "clean DataLoader loop": loops.CLEAN,
    "ML Privacy Meter's loop, workers=0": loops.METER,
    "ML Privacy Meter's loop, defaults": loops.METER_DEFAULTS,
}
SHARE = Goal(0.35, 0.6)


@dataclass(frozen=True)
class Size:
    samples: int
    epochs: int
    checkpoints: int
    loop_epochs: int


SIZES = {
    "full": Size(5010, 40, 12, 10),
    "quick": Size(5010, 5, 2, 2),
    "toy": Size(90, 2, 2, 1),
}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    dataset = location30(setting.data_dir, size.samples)
    problem = Problem(
        dataset=dataset,
        model="mlp-128",
        epochs=size.epochs,
        checkpoints=size.checkpoints,
    ).filling(setting.jobs)
    race = Race(
        name=f"MLP 446-128-30 on {dataset.name}",
        problem=problem,
        loops=LOOPS,
        loop_epochs=size.loop_epochs,
        goals=GOALS,
        share_goal=SHARE,
    )
    startup = quantity(setting.crew.startup_seconds, "s")
    start = Row(figure=f"start of {setting.jobs} training processes, once per audit", note=startup)
    return [*race.rows(setting), start]
