"""The machine's limits: how many floating-point operations per second its matrix multiply reaches."""

from dataclasses import dataclass

import torch

from benchmarks.measure import CORES, Contender, Spread, interleave
from vestige.training.arithmetic import configure, restored

Shape = tuple[int, int, int, int]  # matrices, rows, inner, columns
SQUARE: Shape = (1, 1024, 1024, 1024)
BATCHED: Shape = (16, 128, 446, 512)  # models, batch, inputs, outputs of a stacked layer
OPERATIONS = 4e9  # of one timed run per thread: some 40 ms on a usual core


@dataclass(frozen=True)
class Path:
    """One way to multiply matrices."""

    name: str
    dtype: torch.dtype
    precision: str
    threads: int


PATHS = tuple(
    Path(name, dtype, precision, threads)
    for name, dtype, precision in (
        ("float32 default", torch.float32, "highest"),
        ("float32 medium", torch.float32, "medium"),
        ("bf16", torch.bfloat16, "highest"),
    )
    for threads in dict.fromkeys((1, CORES))
)


@dataclass(frozen=True)
class Limits:
    """Operations per second by (path, threads, shape), and which float32 path is exact here.

    exact: the path that Vestige takes for float32; error: its relative error, as probed.
    """

    rates: dict[tuple[str, int, str], Spread]
    exact: str
    error: float
    quiet: bool

    @classmethod
    def measured(
        cls, rounds: int, square: Shape = SQUARE, batched: Shape = BATCHED, operations: float = OPERATIONS
    ) -> "Limits":
        with restored():
            arithmetic = configure(CORES)
            keyed = {
                (path.name, path.threads, _label(shape)): _contender(path, shape, operations)
                for path in PATHS
                for shape in (square, batched)
            }
            comparison = interleave(list(keyed.values()), rounds)
        rates = {key: _rate(comparison.wall(contender.name)) for key, contender in keyed.items()}
        exact = "float32 medium" if arithmetic.matmul_precision == "medium" else "float32 default"
        quiet = comparison.quiet(*comparison.timings)
        return cls(rates, exact, arithmetic.relative_error, quiet)

    def peak(self, precision: str) -> float:
        """Operations per second of all cores at the best shape, "float32" (the exact path) or "bf16".

        The larger of what all threads reach together and what one reaches times the cores.
        """
        path = self.exact if precision == "float32" else "bf16"
        best = {
            threads: max(s.median for (name, t, _), s in self.rates.items() if (name, t) == (path, threads))
            for threads in (1, CORES)
        }
        return max(best[CORES], best[1] * CORES)


def _label(shape: Shape) -> str:
    batch, m, k, n = shape
    return f"{m}x{k}x{n}" if batch == 1 else f"{batch}x{m}x{k}x{n}"


def _contender(path: Path, shape: Shape, timed: float) -> Contender:
    batch, m, k, n = shape
    left, right = torch.randn(batch, m, k).to(path.dtype), torch.randn(batch, k, n).to(path.dtype)
    if batch == 1:
        left, right = left[0], right[0]
    out = torch.empty(*left.shape[:-1], n, dtype=path.dtype)
    operations = 2.0 * batch * m * k * n
    repeats = max(1, round(timed * path.threads / operations))

    def run() -> float:
        torch.set_num_threads(path.threads)
        torch.set_float32_matmul_precision(path.precision)
        for _ in range(repeats):
            torch.matmul(left, right, out=out)
        return 0.0

    return Contender(f"{path.name} {path.threads} {_label(shape)}", run, repeats * operations)


def _rate(seconds_per_operation: Spread) -> Spread:
    s = seconds_per_operation
    return Spread(1 / s.median, 1 / s.high, 1 / s.low)
