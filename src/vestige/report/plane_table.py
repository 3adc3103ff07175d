"""The plane as a table of cells, for readers who want numbers in place of a picture."""

import numpy as np
from jaxtyping import Complex128, Int

from vestige.report.figure import Table
from vestige.risk.plane import Plane

MOST_CELLS = 2000  # per checkpoint: a longer table is not read
COARSE = 50  # cells per axis when there are more


def cell_table(plane: Plane) -> Table:
    """How many records stand at each point of the plane, at each checkpoint."""
    rows: list[tuple[float, float, float, int]] = []
    for checkpoint, epoch in enumerate(plane.epochs):
        cells, counts = _cells(plane, checkpoint)
        rows += [
            (float(epoch), float(cell.real), float(cell.imag), int(n))
            for cell, n in zip(cells, counts, strict=True)
        ]
    return Table(header=("epoch", "fpr", "tpr", "records"), rows=tuple(rows))


def _cells(plane: Plane, checkpoint: int) -> tuple[Complex128[np.ndarray, "cells"], Int[np.ndarray, "cells"]]:
    """The places taken, as FPR + i TPR, and how many records each holds; merged where there are too many."""
    points = np.nan_to_num(plane.fpr[checkpoint]) + 1j * np.nan_to_num(plane.tpr[checkpoint])
    cells, counts = np.unique(points.round(9), return_counts=True)
    if len(cells) <= MOST_CELLS:
        return cells, counts
    return np.unique(np.round(points * COARSE) / COARSE, return_counts=True)
