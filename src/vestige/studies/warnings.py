"""What one run's own traces foretell, measured on the populations of a study."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool

from vestige.core import files
from vestige.designs.comparison import CellResult, Comparison
from vestige.motion.traces import INDICATORS
from vestige.risk.estimate import Z_95, Estimate
from vestige.studies.finding import Finding, finding
from vestige.studies.replay import precision_of_warning

EARLY = 0.3  # of training
SHARES = (0.01, 0.1)
PARTS = (("noise", "input_noise"), ("images", "dataset"), ("depth", "model"))


def measured_rows(parts: Mapping[str, Comparison]) -> list[dict[str, Any]]:
    """The precision of early warnings by data set, signal and share, as the tracker ships them.

    One cell per condition, that of the first seed: precision is a mean over its models. Conditions under
    which no record ends exposed say nothing of precision and are left out.
    """
    rows: list[dict[str, Any]] = []
    for name, cell in _cells(parts):
        exposed, options = _exposed(cell.folder), json.loads((cell.folder / "manifest.json").read_text())
        if not exposed.any():
            continue
        for signal in INDICATORS:
            for share in SHARES:
                found, chance = _precision(cell.folder, exposed, signal, share)
                rows.append(
                    {
                        "data": name,
                        "model": options["recipe"]["model"]["name"],
                        "models": options["options"]["models"],
                        "epochs": options["recipe"]["epochs"],
                        "at_share_of_training": EARLY,
                        "share": share,
                        "signal": signal,
                        **{
                            key: round(float(value or 0.0), 4)
                            for key, value in (
                                ("precision", found.value),
                                ("low", found.low),
                                ("high", found.high),
                                ("chance", chance),
                            )
                        },
                    }
                )
    return rows


def write_measured(parts: Mapping[str, Comparison], path: Path) -> None:
    """Write the rows where the tracker could take them from, in one step."""
    files.write_text(path, json.dumps({"rows": measured_rows(parts)}, indent=1) + "\n")


def foretold(parts: Mapping[str, Comparison]) -> list[Finding]:
    """Findings: the precision of the top 1 % by loss-trace IQR, at 30 % of training."""
    rows: list[Finding] = []
    for name, cell in _cells(parts):
        exposed = _exposed(cell.folder)
        if not exposed.any():
            continue
        found, chance = _precision(cell.folder, exposed, "loss_trace_iqr", 0.01)
        rows.append(
            finding(
                "precision of the top 1 % by loss-trace IQR at 30 % of training",
                "0.92 (CIFAR-10, whole trace, arXiv 2411.05743)",
                f"{name}; a random list {chance:.3f}",
                found,
                least=round(chance, 3),
            )
        )
    return rows


def _cells(parts: Mapping[str, Comparison]) -> Iterator[tuple[str, CellResult]]:
    """The cells of the first seed, with the data by name."""
    for part, option in PARTS:
        first: object = None
        for cell in parts[part].cells if part in parts else ():
            levels = dict(cell.levels)
            first = levels.get("seed") if first is None else first
            if levels.get("seed") == first:
                level = levels[option]
                noise = f" with noise {level}" if level else ""
                yield (
                    {"input_noise": f"digits{noise}", "model": f"cifar10 under {level}"}.get(
                        option, str(level)
                    ),
                    cell,
                )


def _precision(
    folder: Path, exposed: Bool[np.ndarray, "samples"], signal: str, share: float
) -> tuple[Estimate, float]:
    values, chance = precision_of_warning(folder, exposed, signal=signal, at_share=EARLY, share=share)
    mean = float(values.mean())
    half = Z_95 * float(values.std(ddof=1)) / float(np.sqrt(len(values)))
    low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Estimate(value=mean, low=low, high=high, method="normal, over models"), chance


def _exposed(folder: Path) -> Bool[np.ndarray, "samples"]:
    """Which samples end in High."""
    table = pd.read_parquet(folder / "plane.parquet", columns=["checkpoint", "region"])
    return (table[table.checkpoint == table.checkpoint.max()].region == "High").to_numpy(bool)
