"""The gates of the study of decoupling on noisy digits: 720 perceptrons, a quarter of an hour on two cores.

VESTIGE_STUDY_PPTP=FOLDER takes up a study that was begun there.
"""

import os
from pathlib import Path

import pytest

from vestige.studies import pptp
from vestige.studies.part import Settings

pytestmark = pytest.mark.study


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    given = os.environ.get("VESTIGE_STUDY_PPTP")
    out = Path(given) if given else tmp_path_factory.mktemp("pptp")
    return pptp.study(Settings(out=out, parts=("noisy digits",)))


def test_nothing_that_is_asked_is_contradicted(rows):
    assert {row.verdict for row in rows} <= {"reproduced", "cannot tell", "observed"}


@pytest.mark.parametrize(
    "claim",
    [
        "LiRA AUC, pptp:label_smoothing:0.3/protect=back less label_smoothing:0.3",
        "LiRA AUC, pptp:label_smoothing:0.3/protect=back less none",
        "test accuracy, pptp:label_smoothing:0.3/protect=back less none",
        "test accuracy, pptp:label_smoothing:0.3/protect=front less pptp:label_smoothing:0.3/protect=back",
        "LiRA AUC, pptp:relax_loss:0.5/protect=back less relax_loss:0.5",
        "test accuracy, pptp:label_smoothing:0.3/protect=auto less none",
        "LiRA AUC, pptp:label_smoothing:0.3/protect=auto less label_smoothing:0.3",
        "LiRA AUC, pptp:relax_loss:0.5/protect=auto less none",
    ],
)
def test_what_held_over_three_seeds_holds(rows, claim):
    (row,) = [row for row in rows if row.claim == claim]
    assert row.verdict == "reproduced", row
