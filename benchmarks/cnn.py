"""A convnet of three layers, 32-64-128 channels: one model per core against the clean loop."""

from benchmarks import loops
from benchmarks.problem import Problem, synthetic_images
from benchmarks.race import Race
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from benchmarks.small_mlp import Size

SIZES = {
    "full": Size(2560, 3, 1, 3),
    "quick": Size(640, 1, 1, 1),
    "toy": Size(40, 1, 1, 1),
}
GOALS = {
    ("float32", "clean DataLoader loop"): Goal(1.2, 2),
    ("bf16", "clean DataLoader loop"): Goal(2, 4),
}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    problem = Problem(
        dataset=synthetic_images(size.samples),
        model="convnet",
        epochs=size.epochs,
        checkpoints=size.checkpoints,
    ).filling(setting.jobs)
    race = Race(
        name=f"CNN 32-64-128, {size.samples // 2:,} images per epoch",
        problem=problem,
        loops={"clean DataLoader loop": loops.CLEAN},
        loop_epochs=size.loop_epochs,
        goals=GOALS,
    )
    return race.rows(setting)
