"""The gates of the dynamics study on digits: 128 models per cell, three fresh seeds, mean over seeds.

Set VESTIGE_STUDY to a folder to keep the models between runs; without them it takes about 20 minutes.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vestige.designs.run import run
from vestige.studies.claims import NOISE
from vestige.studies.dynamics import Settings, designs, study
from vestige.studies.finding import measured
from vestige.studies.replay import first_auc, moved

pytestmark = pytest.mark.study
PARTS = ("noise", "labels", "capacity", "adam", "sam")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = Path(os.environ.get("VESTIGE_STUDY", "")) if "VESTIGE_STUDY" in os.environ else None
    return Settings(out=folder or tmp_path_factory.mktemp("study"), parts=PARTS)


@pytest.fixture(scope="module")
def parts(settings):
    return {name: run(design) for name, design in designs(settings).items()}


def mean(comparison, metric, **levels):
    return float(measured(comparison, metric, **levels).values.mean())


def test_gate_1_nothing_before_training_and_population_fpr_always(parts):
    for cell in parts["noise"].cells:
        assert first_auc(cell.folder, "lira-online-fixed") == pytest.approx(0.5, abs=0.01)
        plane = pd.read_parquet(cell.folder / "plane.parquet").groupby("checkpoint")[["fpr", "tpr"]].mean()
        assert plane.loc[0].to_numpy() == pytest.approx([0.01, 0.01], abs=0.01)
        # at most alpha, and short of it by less than one of about 900 non-members
        assert plane.fpr.to_numpy() == pytest.approx(np.full(len(plane), 0.01), abs=0.0012)


@pytest.mark.parametrize("metric", ["displacement", "mean_speed", "entropy_change", "auc"])
def test_gate_2_the_ladder_rises(parts, metric):
    rungs = [measured(parts["noise"], metric, input_noise=noise).values for noise in NOISE]
    assert (rungs[0] < rungs[1]).all()
    assert (rungs[1] < rungs[2]).all()


def test_gate_2_ratios_of_the_ladder(parts):
    def ratio(metric):
        ends = [mean(parts["noise"], metric, input_noise=noise) for noise in (0.6, 0.0)]
        return ends[0] / ends[1]

    assert ratio("displacement") >= 4
    assert ratio("mean_speed") >= 2


def test_gate_3_capacity(parts):
    wide = mean(parts["noise"], "displacement", input_noise=0.6)
    assert wide >= 2 * mean(parts["capacity"], "displacement", model="mlp-16-16-relu")
    assert wide >= 2.5 * mean(parts["capacity"], "displacement", model="linear")


@pytest.mark.parametrize("noise", NOISE)
def test_gate_4_early_determination(parts, noise):
    assert mean(parts["noise"], "early_recall", input_noise=noise) >= 0.7
    assert mean(parts["noise"], "early_precision", input_noise=noise) >= 0.9


def correlation(parts, measure, noise):
    values = [
        a.rank_correlation.value
        for cell in parts["noise"].cells
        if dict(cell.levels)["input_noise"] == noise
        for a in cell.result.dynamics.associations
        if (a.measure, a.outcome) == (measure, "final_advantage")
    ]
    assert len(values) == 3
    return float(np.mean(values))


# The bounds of epoch learned and of the clean data are lower than with the same models on both sides.
@pytest.mark.parametrize(
    ("measure", "noise", "bound"),
    [
        ("epoch_learned", 0.0, 0.3),
        ("epoch_learned", 0.3, 0.45),
        ("epoch_learned", 0.6, 0.45),
        ("inconsistency", 0.0, 0.6),
        ("inconsistency", 0.3, 0.6),
        ("inconsistency", 0.6, 0.6),
        ("memorization", 0.0, 0.6),
        ("memorization", 0.3, 0.65),
        ("memorization", 0.6, 0.65),
    ],
)
def test_gate_5_hard_records_are_exposed(parts, measure, noise, bound):
    assert correlation(parts, measure, noise) >= bound


def test_gate_6_wrong_labels_are_remembered(settings, parts):
    gaps = []
    for cell in parts["labels"].cells:
        table = pd.read_parquet(cell.folder / "samples.parquet")
        gaps.append(
            table.vulnerability[table.mislabelled].mean() - table.vulnerability[~table.mislabelled].mean()
        )
    assert len(gaps) == 3
    assert np.mean(gaps) >= 0.5


def test_gate_7_rate_and_severity_are_different_questions(parts):
    def sgd(metric):
        return mean(parts["noise"], metric, input_noise=0.6)

    assert mean(parts["adam"], "half_time") > sgd("half_time") + 2
    # over three seeds Adam ends lower by .017 (.015 to .019); a single seed had suggested less than .01
    assert mean(parts["adam"], "auc") == pytest.approx(sgd("auc"), abs=0.03)
    assert mean(parts["sam"], "half_time", rho=0.2) > sgd("half_time")
    assert mean(parts["sam"], "peak_signed_speed", rho=0.2) < sgd("peak_signed_speed")


def test_gate_8_an_open_threshold_runs_and_shows_what_it_hides(parts):
    """At a likelihood ratio above 0 all records start in a wide cloud, and harder data move no faster."""
    from vestige.risk.operating_point import LikelihoodRatio, PopulationFPR

    for cell in parts["noise"].cells[::3]:
        wide = moved(cell.folder, "lira-online-fixed", LikelihoodRatio(), 2)
        narrow = moved(cell.folder, "lira-online-fixed", PopulationFPR(0.01), 2)
        assert wide.at["entropy"][0, 0] > narrow.at["entropy"][0, 0] + 1.5
        assert moved(cell.folder, "lira-online-fixed", PopulationFPR(0.1), 2).at["entropy"].shape == (3, 15)


def test_the_study_says_so_in_its_table(settings):
    rows = study(settings)
    verdicts = {(row.claim, row.setting): row.verdict for row in rows}
    assert verdicts["displacement, hardest over easiest", "digits, noise 0 to 0.6, MLP"] == "reproduced"
    assert sum(v == "contradicted" for v in verdicts.values()) <= 4
