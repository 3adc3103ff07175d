"""The machine's matrix-multiply rates, in every precision that Vestige may use."""

from benchmarks.row import Row, quantity
from benchmarks.setting import Setting


def rows(setting: Setting) -> list[Row]:
    limits = setting.limits
    result: list[Row] = []
    for (name, threads, shape), rate in limits.rates.items():
        note = f"used by Vestige, error {limits.error:.1e}" if name == limits.exact else ""
        figure = f"GEMM limit, {name}, {threads} thread{'s' * (threads > 1)}, {shape}"
        result.append(Row(figure=figure, value=rate.times(1e-9), unit="GFLOP/s", ours=note))
    for precision in ("float32", "bf16"):
        peak = quantity(limits.peak(precision) * 1e-9, "GFLOP/s")
        result.append(Row(figure=f"GEMM limit that shares refer to, {precision}", note=peak))
    return result
