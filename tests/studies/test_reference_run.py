"""The recorded reference run on Location30, and the ladder of attacks on it; minutes, needs VESTIGE_DATA.

32 models of 446-128-30 tanh, each on half of 5,010 records, 40 epochs of SGD at 0.05 with momentum 0.9:
test accuracy 0.703, online LiRA with one common variance AUC 0.930 (deviation over models 0.0025), pooled
TPR at 0.1 % FPR 0.176; with one variance per side AUC 0.934 and TPR 0.207 (deviation over targets 0.032).
"""

import os
from pathlib import Path

import numpy as np
import pytest

import vestige
from vestige.attacks.lira import LiRA
from vestige.risk.summary import summarize

pytestmark = [
    pytest.mark.study,
    pytest.mark.skipif("VESTIGE_DATA" not in os.environ, reason="needs the official files in VESTIGE_DATA"),
]


@pytest.fixture(scope="module", params=["float32", "bf16"])
def location30(request, tmp_path_factory):
    out = tmp_path_factory.mktemp("location30") / request.param
    data = Path(os.environ["VESTIGE_DATA"])
    return vestige.audit("location30", data_dir=data, precision=request.param, out=out)


def summary_of(found, attack):
    return next(s for s in found.result.attacks if s.attack == attack)


def test_the_models_are_those_of_the_reference_run(location30):
    train, test = location30.result.accuracies
    assert train.mean == pytest.approx(1.0, abs=1e-3)
    assert test.mean == pytest.approx(0.703, abs=0.006)


def test_lira_with_one_variance_per_side(location30):
    lira = summary_of(location30, "lira-online-fixed")
    assert lira.auc.value == pytest.approx(0.934, abs=0.004)
    assert lira.at(0.001).tpr.value == pytest.approx(0.207, abs=0.04)


def test_lira_with_one_common_variance(location30):
    folder = next((location30.folder / "signals").iterdir())
    values = np.stack([np.load(folder / "scaled_logit" / f"model-{k:05d}.npy")[-1, :, 0] for k in range(32)])
    mask = np.load(folder / "membership.npy")
    scores = vestige.score(values, mask, LiRA(fixed="shared"))
    found = summarize(scores.values, scores.member, np.arange(32) // 2, attack="lira", small_print="shared")
    assert found.auc.value == pytest.approx(0.930, abs=0.004)
    assert found.at(0.001).tpr.value == pytest.approx(0.176, abs=0.04)


def test_the_order_of_attacks(location30):
    auc = {s.attack: s.auc.value for s in location30.result.attacks}
    assert auc["student-t"] > auc["lira-online-fixed"] > auc["loss"] + 0.1
    assert location30.result.valid
