"""A larger perceptron, 446-512-256-30: our stacked engine against the clean loop."""

from benchmarks import loops
from benchmarks.problem import Problem, location30
from benchmarks.race import Race
from benchmarks.row import Goal, Row
from benchmarks.setting import Setting
from benchmarks.small_mlp import SHARE, Size

SIZES = {
    "full": Size(5010, 10, 3, 4),
    "quick": Size(5010, 2, 1, 2),
    "toy": Size(90, 2, 2, 1),
}
GOALS = {
    ("float32", "clean DataLoader loop"): Goal(2, 3),
    ("bf16", "clean DataLoader loop"): Goal(3, 5),
}


def rows(setting: Setting) -> list[Row]:
    size = setting.size(SIZES)
    dataset = location30(setting.data_dir, size.samples)
    problem = Problem(
        dataset=dataset,
        model="mlp-512-256",
        epochs=size.epochs,
        checkpoints=size.checkpoints,
    ).filling(setting.jobs)
    race = Race(
        name=f"MLP 446-512-256-30 on {dataset.name}",
        problem=problem,
        loops={"clean DataLoader loop": loops.CLEAN},
        loop_epochs=size.loop_epochs,
        goals=GOALS,
        share_goal=SHARE,
    )
    return race.rows(setting)
