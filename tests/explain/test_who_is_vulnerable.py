"""Which digits the rules choose: ones far inside their class by one threshold for all, outliers by LiRA.

Set VESTIGE_STUDY_VULNERABLE to a folder to keep the models between runs.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import vestige
from vestige.data.corruption import with_label_noise
from vestige.data.embedded import digits
from vestige.explain.mislabelled import label_check, suspicion
from vestige.explain.outlierness import outlierness, percentile
from vestige.explain.vulnerable import VulnerableSets, attack_set, global_set
from vestige.population.recorded import recorded
from vestige.risk.difficulty import difficulty
from vestige.signals.source import read

pytestmark = pytest.mark.study

NOISE = 0.05


@dataclass(frozen=True, eq=False)
class Run:
    common: VulnerableSets
    lira: VulnerableSets
    values: dict[str, np.ndarray]
    flipped: np.ndarray

    def place(self, found, measure):
        """The mean percentile of the chosen members, each target counting alike."""
        places = percentile(self.values[measure])
        return np.mean([places[named].mean() for named in found.sets if named.any()])

    def mislabelled(self, found):
        return np.mean([self.flipped[named].mean() for named in found.sets if named.any()])


@pytest.fixture(scope="module", params=[("clean", 0.0), ("noisy", NOISE)], ids=["clean", "noisy"])
def run(request, tmp_path_factory):
    kept = os.environ.get("VESTIGE_STUDY_VULNERABLE")
    name, noise = request.param
    folder = Path(kept or tmp_path_factory.mktemp("digits")) / name
    if not (folder / "manifest.json").exists():
        vestige.audit(
            "digits",
            models=64,
            epochs=60,
            checkpoints=2,
            optimizer="adam",
            lr=0.002,
            batch_size=64,
            label_noise=noise,
            out=str(folder),
        )
    return opened(folder, noise)


def opened(folder, noise):
    data, flipped = digits(), np.zeros(1797, bool)
    if noise:
        data, flipped = with_label_noise(data, noise, 0)
    models = recorded(folder)
    signals, membership = models.signals, models.membership
    logits = np.stack([read(signals, "scaled_logit", m, -1)[:, 0] for m in range(64)])
    loss = difficulty(signals, membership.mask).out_loss
    far = outlierness(data.inputs, data.targets, out_of_fold_loss=loss)
    scores = vestige.score(logits, membership, "lira-online")
    return Run(global_set(logits, membership), attack_set(scores, membership), far.values, flipped)


def test_one_threshold_for_all_names_as_many_as_chance_and_no_outliers(run):
    assert run.common.times_chance().high < 2
    assert run.common.beyond_chance.mean() < 0.2
    assert run.place(run.common, "centroid_distance") < 0.5
    assert run.place(run.common, "out_of_fold_loss") < 0.15
    assert run.mislabelled(run.common) == 0


def test_lira_names_more_than_chance_and_outliers(run):
    assert run.lira.times_chance().low > 3
    assert run.place(run.lira, "centroid_distance") > 0.75
    assert run.place(run.lira, "out_of_fold_loss") > 0.85
    if run.flipped.any():
        assert run.mislabelled(run.lira) >= 0.4


def test_suspicion_finds_the_flipped_labels(run):
    if not run.flipped.any():
        pytest.skip("no label was flipped")
    loss, foreign = run.values["out_of_fold_loss"], run.values["disagreement"]
    both = label_check(suspicion(loss, foreign), run.flipped).at_count.precision.value
    assert both > 0.9
    assert both >= max(label_check(one, run.flipped).at_count.precision.value for one in (loss, foreign))
