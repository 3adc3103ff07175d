"""Our engines against plain loops on one problem: signals included on both sides."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.loops import Loop
from benchmarks.measure import Comparison, Contender, Spread, interleave
from benchmarks.problem import Problem
from benchmarks.row import Goal, Row, milliseconds
from benchmarks.setting import Setting

PRECISIONS = ("float32", "bf16")


@dataclass(frozen=True, kw_only=True)
class Race:
    """A problem for our engines, and the plain loops that they are held against.

    loop_epochs: epochs of the one model that a loop trains per round; its signal passes are in proportion.
    goals: by (precision, loop's name). share_goal: for the share of the machine's limit.
    """

    name: str
    problem: Problem
    loops: dict[str, Loop]
    loop_epochs: int
    goals: dict[tuple[str, str], Goal]
    share_goal: Goal | None = None

    def rows(self, setting: Setting) -> list[Row]:
        with tempfile.TemporaryDirectory(prefix="vestige-benchmark-") as folder:
            ours = [self._ours(setting, precision, Path(folder) / precision) for precision in PRECISIONS]
            theirs = [self._theirs(name) for name in self.loops]
            comparison = interleave([*theirs, *ours], setting.rounds, warm_up=setting.scale != "toy")
        result: list[Row] = []
        for precision in PRECISIONS:
            result += [self._against(comparison, precision, name) for name in self.loops]
            result.append(self._share(comparison, precision, setting))
        return result

    @property
    def loop_passes(self) -> int:
        problem = self.problem
        return max(1, round(self.loop_epochs * problem.checkpoints / problem.epochs))

    def _ours(self, setting: Setting, precision: str, folder: Path) -> Contender:
        plan = self.problem.plan(precision)
        name = f"{self.name} {precision}"
        store = setting.crew.assign(name, plan, folder)

        def run() -> float:
            shutil.rmtree(store.folder, ignore_errors=True)  # so that every run writes its files
            return setting.crew.train(name, plan.tasks)

        return Contender(precision, run, self.problem.models * self.problem.epochs)

    def _theirs(self, name: str) -> Contender:
        def run() -> float:
            self.loops[name](self.problem, self.loop_epochs, self.loop_passes)
            return 0.0

        return Contender(name, run, self.loop_epochs)

    def _against(self, comparison: Comparison, precision: str, loop: str) -> Row:
        return Row(
            figure=f"{self.name}, {precision}, ms per model-epoch",
            ours=milliseconds(comparison.wall(precision), comparison.cpu(precision)),
            against=loop,
            theirs=milliseconds(comparison.wall(loop), comparison.cpu(loop)),
            value=comparison.ratio(loop, precision),
            unit="x",
            goal=self.goals.get((precision, loop)),
            quiet=comparison.quiet(precision, loop),
        )

    def _share(self, comparison: Comparison, precision: str, setting: Setting) -> Row:
        """The time that the multiplies alone would take at the machine's limit, over the time taken."""
        limits = setting.limits
        training, signals = self.problem.operations
        ideal = training / limits.peak(precision) + signals / limits.peak("float32")
        wall = comparison.wall(precision)
        return Row(
            figure=f"{self.name}, {precision}, share of the GEMM limit",
            ours=milliseconds(wall, comparison.cpu(precision)),
            against=f"limit of all cores: {ideal * 1e3:.2f} ms",
            value=Spread(ideal / wall.median, ideal / wall.high, ideal / wall.low),
            unit="%",
            goal=self.share_goal,
            quiet=comparison.quiet(precision) and limits.quiet,
        )
