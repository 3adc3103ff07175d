"""An assessment as the tables of a run folder."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float64

from vestige.audits.assessment import Assessment, Keep, Subject
from vestige.core.files import replacing
from vestige.motion.analysis import sample_motion
from vestige.risk.dynamics import Dynamics
from vestige.risk.estimate import Estimate
from vestige.risk.plane import Plane

SCORES = pa.schema(
    [
        ("target", pa.int32()),
        ("sample", pa.int64()),
        ("attack", pa.string()),
        ("member", pa.bool_()),
        ("score", pa.float64()),
    ]
)


@contextmanager
def scores(subject: Subject, path: Path) -> Generator[Keep]:
    """A function that appends an attack's final scores to scores.parquet, which appears when all is well.

    Columns: target, sample (the row in the user's file), attack, member, score; one row group per attack
    and target.
    """
    mask = subject.membership.mask
    with replacing(path) as temporary, pq.ParquetWriter(temporary, SCORES) as writer:

        def keep(attack: str, values: Float64[np.ndarray, "targets samples"]) -> None:
            for target, row in enumerate(values):
                number = np.full(len(row), target, np.int32)
                columns = [number, subject.ids, [attack] * len(row), mask[target], row]
                writer.write_table(pa.table(dict(zip(SCORES.names, columns, strict=True)), SCORES))

        yield keep


def plane(assessment: Assessment) -> pd.DataFrame:
    """One row per checkpoint and sample: epoch, fpr, tpr, advantage, region, and the models behind them."""
    p, ids = assessment.plane, assessment.subject.ids
    checkpoints, samples = p.hits_in.shape
    return pd.DataFrame(
        {
            "sample": np.tile(ids, checkpoints),
            "checkpoint": np.repeat(np.arange(checkpoints), samples),
            "epoch": np.repeat(p.epochs, samples),
            "fpr": p.fpr.ravel(),
            "tpr": p.tpr.ravel(),
            "advantage": p.advantage.ravel(),
            "region": pd.Categorical.from_codes(p.regions.ravel(), list(p.partition.names)),
            "models_in": p.n_in.ravel(),
            "models_out": p.n_out.ravel(),
        }
    )


def samples(assessment: Assessment) -> pd.DataFrame:
    """One row per sample at the last checkpoint: label, vulnerability, difficulty, and since when."""
    p, subject = assessment.plane, assessment.subject
    since = p.first_exposed
    labels = np.full(len(subject.ids), -1) if subject.labels is None else subject.labels
    return pd.DataFrame(
        {
            "sample": subject.ids,
            "label": labels,
            "fpr": p.fpr[-1],
            "tpr": p.tpr[-1],
            "vulnerability": p.advantage[-1],
            "region": pd.Categorical.from_codes(p.regions[-1], list(p.partition.names)),
            "since_epoch": np.where(since >= 0, p.epochs[since], np.nan),
            "difficulty": assessment.difficulty.out_loss,
            "memorization": assessment.difficulty.memorization,
            **({} if subject.mislabelled is None else {"mislabelled": subject.mislabelled}),
            **_motion(p),
            **{f"half_{name}": values for name, values in assessment.hardness.items()},
        }
    )


def _motion(p: Plane) -> dict[str, np.ndarray]:
    """How each sample moved, where there is more than one checkpoint."""
    if len(p.epochs) < 2:
        return {}
    moved = sample_motion(p)
    return {
        "mean_speed": moved.mean_speed,
        "peak_speed": moved.peak_speed,
        "first_entry_epoch": moved.first_entry,
        "last_entry_epoch": moved.last_entry,
    }


def dynamics(found: Dynamics | None) -> pd.DataFrame:
    """Every figure, curve and association of the dynamics, one row each or one per epoch.

    kind ("figure", "curve" or "association"), name, epoch (NaN but for curves), value, low, high, unit.
    An association is named MEASURE~OUTCOME and holds a rank correlation.
    """
    rows: list[tuple[str, str, float, Estimate, str]] = []
    if found is not None:
        rows += [("figure", f.name, np.nan, f.estimate, f.unit) for f in found.figures]
        rows += [
            ("curve", c.name, epoch, estimate, c.unit)
            for c in found.curves
            for epoch, estimate in zip(c.epochs, c.estimates, strict=True)
        ]
        rows += [
            ("association", f"{a.measure}~{a.outcome}", np.nan, a.rank_correlation, "")
            for a in found.associations
        ]
    return pd.DataFrame(
        {
            "kind": [row[0] for row in rows],
            "name": [row[1] for row in rows],
            "epoch": np.array([row[2] for row in rows], float),
            **{
                end: np.array([getattr(row[3], end) for row in rows], float)
                for end in ("value", "low", "high")
            },
            "unit": [row[4] for row in rows],
        }
    )


def write(assessment: Assessment, folder: Path) -> None:
    """Write plane.parquet, samples.parquet and dynamics.parquet, each in one step."""
    frames = {
        "plane": plane(assessment),
        "samples": samples(assessment),
        "dynamics": dynamics(assessment.dynamics),
    }
    for name, frame in frames.items():
        with replacing(folder / f"{name}.parquet") as temporary:
            frame.to_parquet(temporary, index=False)
