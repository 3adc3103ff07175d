"""Verdicts, intervals and tables of a study, and a study small enough for every test run."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from vestige.cli.main import app
from vestige.core.errors import InputError
from vestige.designs.comparison import Comparison
from vestige.designs.run import dynamics
from vestige.population.recorded import recorded
from vestige.risk.estimate import Estimate
from vestige.risk.operating_point import BestAccuracy, LikelihoodRatio, PopulationFPR
from vestige.studies import table
from vestige.studies.dynamics import Settings, designs
from vestige.studies.finding import Measured, finding, judged, measured
from vestige.studies.replay import decisions_of, first_auc, moved, precision_of_warning


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("ours", "bounds", "verdict"),
    [
        (estimate(2.0, 1.5, 2.5), {"least": 1.0}, "reproduced"),
        (estimate(2.0, 0.5, 3.5), {"least": 1.0}, "cannot tell"),
        (estimate(0.5, 0.2, 0.8), {"least": 1.0}, "contradicted"),
        (estimate(0.5, 0.2, 0.8), {"most": 1.0}, "reproduced"),
        (estimate(2.0, 1.5, 2.5), {"most": 0.0}, "contradicted"),
        (estimate(-0.5, -1.0, 0.0), {"most": 0.0}, "reproduced"),
        (Estimate(value=2.0), {"least": 1.0}, "cannot tell"),
        (Estimate(value=None, note="?"), {"least": 1.0}, "cannot tell"),
        (estimate(2.0, 1.5, 2.5), {}, "observed"),
    ],
)
def test_a_verdict_needs_the_whole_interval(ours, bounds, verdict):
    assert judged(ours, **bounds)[0] == verdict


def test_seeds_give_a_student_interval_and_one_seed_the_bootstraps():
    three = Measured(np.array([1.0, 2.0, 3.0]), np.full(3, 9.0)).estimate
    assert three.value == 2
    assert three.high - 2 == pytest.approx(4.302653 / np.sqrt(3))
    one = Measured(np.array([5.0]), np.array([0.5])).estimate
    assert (one.low, one.high) == pytest.approx((5 - 0.98, 5 + 0.98), abs=1e-3)
    assert Measured(np.array([1.0, np.nan]), np.zeros(2)).estimate.value is None


def test_differences_and_ratios_go_seed_by_seed():
    left = Measured(np.array([2.0, 4.0, 8.0]), np.full(3, 0.1))
    right = Measured(np.array([1.0, 2.0, 4.0]), np.full(3, 0.1))
    assert left.over(right).value == pytest.approx(2)
    assert left.over(right).high == pytest.approx(2)
    assert left.minus(right).value == pytest.approx(7 / 3)
    single = Measured(np.array([4.0]), np.array([0.3])).minus(Measured(np.array([1.0]), np.array([0.4])))
    assert single.high == pytest.approx(3 + 1.959964 * 0.5)


def test_a_metric_is_taken_from_the_cells_with_these_levels():
    rows = [("a", 0.1, 1.0), ("a", 0.1, 2.0), ("a", 0.2, 9.0), ("b", 0.1, 7.0)]
    frame = pd.DataFrame(rows, columns=["metric", "rho", "value"]).assign(low=0.0, high=3.92)
    cells = type("Cells", (Comparison,), {"table": frame})((), Path())
    found = measured(cells, "a", rho=0.1)
    assert found.values.tolist() == [1.0, 2.0]
    assert found.errors == pytest.approx([1.0, 1.0], abs=1e-3)
    with pytest.raises(InputError, match="no cell has a"):
        measured(cells, "a", rho=0.3)


def test_the_table_shows_claim_interval_verdict_and_notes(tmp_path):
    rows = [
        finding("grows", "10.5", "digits", estimate(12.0, 11.0, 13.0), least=4.0, note="a note"),
        finding("absent", "none", "digits", Estimate(value=None, note="why not")),
    ]
    text = table.markdown(rows)
    assert "| grows | 10.5 | digits | 12 (11 to 13) | at least 4 | reproduced [1] |" in text
    assert "[1] a note" in text
    assert "why not" in text
    path = table.write(rows, "A study", tmp_path)
    assert path.read_text().startswith("# A study\n")
    assert json.loads((tmp_path / "study.json").read_text())["rows"][0]["verdict"] == "reproduced"


def test_parts_of_the_study_are_designs_and_unknown_ones_are_refused(tmp_path):
    found = designs(Settings(out=tmp_path, seeds=(1, 2)))
    assert [len(d.cells) for d in found.values()] == [6, 2, 4, 2, 4, 6, 3]
    assert list(designs(Settings(out=tmp_path, parts=("sam",)))) == ["sam"]
    with pytest.raises(InputError, match="noise"):
        designs(Settings(out=tmp_path, parts=("nois",)))


@pytest.fixture(scope="module")
def ladder(tmp_path_factory):
    """Digits as they are and with noise, 32 small perceptrons each."""
    return dynamics(
        "digits",
        vary={"input_noise": [0.0, 0.6]},
        models=32,
        epochs=20,
        checkpoints=6,
        batch_size=64,
        model="mlp-64-relu",
        lr=0.1,
        attack="lira-online-fixed",
        seed=11,
        out=tmp_path_factory.mktemp("ladder") / "run",
    )


def test_harder_data_move_farther_and_faster(ladder):
    clean, noisy = (measured(ladder, "displacement", input_noise=noise) for noise in (0.0, 0.6))
    assert noisy.over(clean).low > 3
    speeds = [measured(ladder, "mean_speed", input_noise=noise) for noise in (0.0, 0.6)]
    assert speeds[1].over(speeds[0]).low > 1.5
    assert measured(ladder, "auc", input_noise=0.6).minus(measured(ladder, "auc", input_noise=0.0)).low > 0.1


def test_before_training_nothing_is_encoded(ladder):
    for cell in ladder.cells:
        assert first_auc(cell.folder, "lira-online-fixed") == pytest.approx(0.5, abs=0.01)
        plane = pd.read_parquet(cell.folder / "plane.parquet")
        means = plane.groupby("checkpoint")[["fpr", "tpr"]].mean()
        assert means.loc[0].to_numpy() == pytest.approx([0.01, 0.01], abs=0.01)
        assert means.fpr.to_numpy() == pytest.approx(np.full(6, 0.01), abs=0.002)


def test_hard_records_are_exposed_in_the_noisy_data(ladder):
    found = {
        (a.measure, a.outcome): a.rank_correlation.value for a in ladder.cells[1].result.dynamics.associations
    }
    for measure in ("epoch_learned", "inconsistency", "memorization", "prediction_depth"):
        assert found[measure, "final_advantage"] > 0.2


@pytest.mark.parametrize("point", [PopulationFPR(0.1), LikelihoodRatio(), BestAccuracy()])
def test_other_operating_points_see_the_same_order(ladder, point):
    ends = [
        moved(cell.folder, "lira-online-fixed", point, 2).at["mean_advantage"][0, -1] for cell in ladder.cells
    ]
    assert ends[1] > ends[0] + 0.1


def test_a_second_attack_sees_the_same_order(ladder):
    ends = [
        moved(cell.folder, "base-online", replicates=2).at["displacement"][0, -1] for cell in ladder.cells
    ]
    assert ends[1] > 2 * ends[0]


def test_the_replay_is_the_audits_own_plane(ladder):
    cell = ladder.cells[1]
    plane = pd.read_parquet(cell.folder / "plane.parquet")
    again = decisions_of(recorded(cell.folder), "lira-online-fixed").plane()
    assert np.array_equal(again.tpr.ravel(), plane.tpr.to_numpy())
    with pytest.raises(InputError, match="trained models"):
        recorded(cell.folder.parent)


def test_one_runs_trace_names_exposed_records_more_often_than_chance(ladder):
    cell = ladder.cells[1]
    plane = pd.read_parquet(cell.folder / "plane.parquet")
    exposed = (plane[plane.checkpoint == 5].region == "High").to_numpy()
    precision, chance = precision_of_warning(cell.folder, exposed, at_share=1.0, share=0.05)
    assert len(precision) == 32
    assert chance == pytest.approx(exposed.mean(), abs=0.05)
    assert precision.mean() > 1.2 * chance


def test_the_command_refuses_an_unknown_study():
    ran = CliRunner().invoke(app, ["study", "dynamic"])
    assert isinstance(ran.exception, InputError)
    assert "dynamics" in str(ran.exception)
