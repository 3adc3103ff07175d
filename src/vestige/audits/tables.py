"""An assessment as the tables of a run folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vestige.audits.assessment import Assessment
from vestige.core.files import replacing
from vestige.risk.region import REGIONS

SCORES = pa.schema(
    [
        ("target", pa.int32()),
        ("sample", pa.int64()),
        ("attack", pa.string()),
        ("member", pa.bool_()),
        ("score", pa.float64()),
    ]
)


def scores(assessment: Assessment) -> Iterator[Any]:
    """One pyarrow table per attack and target: target, sample (the user's row), attack, member, score."""
    ids, mask = assessment.subject.ids, assessment.subject.membership.mask
    for attack, values in assessment.scores.items():
        for target, row in enumerate(values):
            columns = [np.full(len(row), target, np.int32), ids, [attack] * len(row), mask[target], row]
            yield pa.table(dict(zip(SCORES.names, columns, strict=True)), SCORES)


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
            "region": pd.Categorical.from_codes(p.regions.ravel(), list(REGIONS)),
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
            "region": pd.Categorical.from_codes(p.regions[-1], list(REGIONS)),
            "since_epoch": np.where(since >= 0, p.epochs[since], np.nan),
            "difficulty": assessment.difficulty.out_loss,
            "memorization": assessment.difficulty.memorization,
        }
    )


def write(assessment: Assessment, folder: Path) -> None:
    """Write scores.parquet, plane.parquet and samples.parquet, each in one step."""
    with replacing(folder / "scores.parquet") as temporary, pq.ParquetWriter(temporary, SCORES) as writer:
        for table in scores(assessment):
            writer.write_table(table)
    for name, frame in (("plane", plane(assessment)), ("samples", samples(assessment))):
        with replacing(folder / f"{name}.parquet") as temporary:
            frame.to_parquet(temporary, index=False)
