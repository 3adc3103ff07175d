"""`python -m benchmarks`: measure, and print one table."""

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks import (
    cnn,
    cuda,
    defenses,
    drift,
    joint,
    large_mlp,
    leakage,
    limits,
    memory,
    routing,
    scoring,
    small_mlp,
    table,
    tracker,
)
from benchmarks.machine import Machine
from benchmarks.row import Row
from benchmarks.setting import Setting

FIGURES: dict[str, Callable[[Setting], list[Row]]] = {
    "limits": limits.rows,
    "small-mlp": small_mlp.rows,
    "large-mlp": large_mlp.rows,
    "cnn": cnn.rows,
    "scoring": scoring.rows,
    "memory": memory.rows,
    "drift": drift.rows,
    "tracker": tracker.rows,
    "defenses": defenses.rows,
    "routing": routing.rows,
    "joint": joint.rows,
    "leakage": leakage.rows,
    "cuda": cuda.rows,
}


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    setting = Setting(
        rounds=options.rounds or (1 if options.quick else 5),
        scale="quick" if options.quick else "full",
        data_dir=options.data_dir,
    )
    console, progress = Console(width=options.width), Console(stderr=True)
    rows: list[Row] = []
    try:
        for name in options.only or FIGURES:
            start = time.perf_counter()
            rows += FIGURES[name](setting)
            progress.print(f"{name}: {time.perf_counter() - start:.0f} s")
    finally:
        setting.close()
    machine = Machine.here()
    table.show(machine, rows, console)
    if options.write:
        table.write(options.write, machine, rows)
        console.print(f"written to {options.write}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=FIGURES, metavar="NAME", help=", ".join(FIGURES))
    parser.add_argument("--rounds", type=int, help="how often each alternative runs (5; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it runs")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="put the table into this file")
    parser.add_argument("--width", type=int, help="columns of the table on the terminal")
    data_dir = os.environ.get("VESTIGE_DATA")
    parser.add_argument("--data-dir", type=Path, default=Path(data_dir) if data_dir else None)
    return parser


if __name__ == "__main__":
    main()
