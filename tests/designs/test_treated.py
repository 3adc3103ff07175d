"""Members that were treated and those that were not, before and after, on the same coins."""

import numpy as np
import pandas as pd
import pytest

from vestige.audits import audit as audits
from vestige.audits.options import Options
from vestige.designs.compare import design_of
from vestige.designs.run import prepared_cell
from vestige.designs.treated import METRICS, Groups, statement, treated_rows
from vestige.population.store import Store
from vestige.training.flagged import TREATED
from vestige.training.treatment import Treatment

HEADLINE = "lira-online-fixed"
DROP = "pre_identification:0.1"
SMALL = {
    "samples": 400,
    "models": 8,
    "epochs": 40,
    "jobs": 1,
    "attack": (HEADLINE,),
    "model": "mlp-64",
    "label_noise": 0.06,
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """By defense and seed, each of them trained and audited."""
    folder = tmp_path_factory.mktemp("treated")
    design = design_of(Options(dataset="digits", **SMALL), [DROP], 1)
    prepared = [prepared_cell(cell, folder / cell.folder) for cell in design.cells]
    for one in prepared:
        audits.run(one)
    return dict(zip([("none", 0), (DROP, 0)], prepared, strict=True))


@pytest.fixture(scope="module")
def found(cells):
    return {row.metric: row.estimate for row in treated_rows(cells, HEADLINE)}


def scores_of(prepared):
    table = pd.read_parquet(prepared.options.out / "scores.parquet")
    return np.asarray(table.score[table.attack == HEADLINE]).reshape(prepared.plan.membership.mask.shape)


def flags_of(prepared):
    store = Store.of(prepared.plan, prepared.options.out)
    return np.stack([store.weights(model)[TREATED].numpy() for model in range(8)])


def figures_by_hand(scores, member, chosen):
    """One target at a time: the largest TPR with at most 1 % of non-members above, and all pairs for AUC."""
    rates, aucs = [], []
    for row, coin, group in zip(scores, member, chosen, strict=True):
        inside, outside = row[group], row[~coin]
        thresholds = [t for t in row if (outside >= t).mean() <= 0.01]
        rates.append(max((float((inside >= t).mean()) for t in thresholds), default=0.0))
        above = (inside[:, None] > outside).mean() + 0.5 * (inside[:, None] == outside).mean()
        aucs.append(float(above))
    return {"tpr@0.01": np.array(rates), "auc": np.array(aucs)}


def test_figures_are_those_of_a_slow_twin_and_changes_are_paired(cells, found):
    none, drop = cells["none", 0], cells[DROP, 0]
    member, treated = drop.plan.membership.mask, flags_of(drop)
    assert np.array_equal(member, none.plan.membership.mask)
    for name, chosen in (("treated", treated), ("untreated", member & ~treated)):
        before, after = (figures_by_hand(scores_of(one), member, chosen) for one in (none, drop))
        for metric in METRICS:
            key = f"{metric}_{name}"
            assert found[key].value == pytest.approx(after[metric].mean())
            assert found[f"{key}_before"].value == pytest.approx(before[metric].mean())
            assert found[f"{key}_change"].value == pytest.approx((after[metric] - before[metric]).mean())
    for key in found:
        low, high = found[key].low, found[key].high
        assert low <= found[key].value <= high
    assert len(found) == 12


def test_dropped_members_were_the_exposed_ones_and_are_no_longer(found):
    assert found["tpr@0.01_treated_before"].value > 3 * found["tpr@0.01_untreated_before"].value
    assert found["auc_treated_before"].value > found["auc_untreated_before"].value + 0.1
    assert found["tpr@0.01_treated_change"].high < 0
    assert found["auc_treated"].value < 0.6


def test_mostly_mislabelled_members_are_dropped(cells):
    drop = cells[DROP, 0]
    treated, wrong = flags_of(drop), drop.mislabelled
    assert wrong is not None
    shares = [wrong[row].mean() for row in treated]
    assert np.mean(shares) > 0.4  # 6 % by chance; at most 60 %, since 10 % are flagged


def test_without_none_there_is_no_before(cells):
    alone = {(DROP, 0): cells[DROP, 0]}
    names = {row.metric for row in treated_rows(alone, HEADLINE)}
    assert names == {f"{metric}_{group}" for metric in METRICS for group in ("treated", "untreated")}
    assert treated_rows({("none", 0): cells["none", 0]}, HEADLINE) == ()


def test_a_group_that_a_target_lacks_is_not_measured():
    member = np.array([[True, True, False], [True, False, True]])
    nobody = np.zeros_like(member)
    assert list(Groups(member, nobody, np.arange(2)).by_name) == ["untreated"]
    assert list(Groups(member, member, np.arange(2)).by_name) == ["treated"]


def test_the_statement_says_who_how_and_what_counts_as_a_member():
    said = statement(Treatment(share=0.05))
    assert "5 % of each model's own members" in said
    assert "4 models trained before" in said
    assert "still counts as a member" in said
    smoothed = statement(Treatment(action="smooth", strength=0.3, flag="centroid"))
    assert "smooth by 0.3" in smoothed
    assert "1 model trained before" in smoothed
    assert "still counts" not in smoothed
