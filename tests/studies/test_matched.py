"""A defense in regions against itself everywhere, on made-up figures."""

from pathlib import Path

import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.designs.protection import MeasuredRow, Protection
from vestige.risk.estimate import Estimate
from vestige.studies.matched import SEVERAL, TPR, matched
from vestige.studies.pptp_claims import CLAIMS
from vestige.studies.regularization_claims import ACCURACY


def made_up(figures):
    """figures: by defense the accuracy and leakage of each seed."""
    return Protection(
        tuple(
            MeasuredRow(defense=name, seed=seed, attack=key[0], metric=key[1], estimate=Estimate(value=value))
            for name, (accuracies, leakages) in figures.items()
            for key, values in ((ACCURACY, accuracies), (TPR, leakages))
            for seed, value in enumerate(values)
        ),
        Path(),
    )


EVERYWHERE = {
    "none": ([0.60, 0.61, 0.62], [0.30, 0.30, 0.30]),
    "x:1": ([0.58, 0.58, 0.58], [0.60, 0.60, 0.60]),  # worse in both than none
    "x:2": ([0.50, 0.50, 0.50], [0.10, 0.10, 0.10]),
}


def test_a_setting_that_another_beats_in_both_is_not_compared():
    found = made_up({**EVERYWHERE, "pptp:x:1/protect=back": ([0.61] * 3, [0.15] * 3)})
    assert [one.everywhere for one in matched(found, list(EVERYWHERE), ["pptp:x:1/protect=back"])] == [
        "none",
        "x:2",
    ]


def test_the_ratio_is_that_of_the_least_leakage_at_no_less_accuracy():
    routed = {
        "pptp:x:1/protect=back": ([0.61] * 3, [0.15] * 3),
        "pptp:x:2/protect=back": ([0.50] * 3, [0.02] * 3),
    }
    at_none, at_two = matched(made_up({**EVERYWHERE, **routed}), list(EVERYWHERE), list(routed))
    assert at_none.in_regions == ("pptp:x:1/protect=back",) * 3
    assert np.allclose(at_none.ratio.values, 0.5)
    assert np.allclose(at_none.lost.values, [-0.01, 0.0, 0.01])
    assert at_two.in_regions == ("pptp:x:2/protect=back",) * 3
    assert np.allclose(at_two.ratio.values, 0.2)


def test_a_setting_is_chosen_on_the_other_seeds():
    """The second one looks best on seed 0 alone, so it is chosen for the others and never for seed 0."""
    routed = {
        "pptp:x:1/protect=back": ([0.61] * 3, [0.20, 0.20, 0.20]),
        "pptp:x:1/protect=head": ([0.61] * 3, [0.01, 0.25, 0.25]),
    }
    at_none, _ = matched(made_up({**EVERYWHERE, **routed}), list(EVERYWHERE), list(routed))
    assert at_none.in_regions == (
        "pptp:x:1/protect=back",
        "pptp:x:1/protect=head",
        "pptp:x:1/protect=head",
    )
    assert np.allclose(at_none.ratio.values, [0.2 / 0.3, 0.25 / 0.3, 0.25 / 0.3])


def test_without_one_that_is_accurate_enough_the_nearest_stands_and_says_so():
    routed = {
        "pptp:x:1/protect=back": ([0.55] * 3, [0.01] * 3),
        "pptp:x:1/protect=head": ([0.59] * 3, [0.20] * 3),
    }
    found = made_up({**EVERYWHERE, **routed})
    assert matched(found, list(EVERYWHERE), list(routed))[0].in_regions == ("pptp:x:1/protect=head",) * 3


def test_the_claims_say_where_no_setting_in_regions_is_accurate_enough():
    found = made_up(
        {
            "none": EVERYWHERE["none"],
            "crl:0.1": EVERYWHERE["x:2"],
            "pptp:crl:0.1/protect=head": ([0.59] * 3, [0.20] * 3),
        }
    )
    at_none, at_crl, *_ = [row.note for row in CLAIMS["location30"](found)]
    assert "No such setting reaches that accuracy" in at_none
    assert "No such setting" not in at_crl


def test_one_seed_leaves_nothing_to_choose_on():
    found = made_up({name: ([a[0]], [b[0]]) for name, (a, b) in EVERYWHERE.items()})
    with pytest.raises(InputError, match="seeds=1"):
        matched(found, ["none"], ["x:1"])


def test_the_strongest_of_several_attacks_counts():
    found = made_up({**EVERYWHERE, "pptp:x:1/protect=back": ([0.61] * 3, [0.15] * 3)})
    other = tuple(
        MeasuredRow(
            defense=name, seed=seed, attack="rmia-online", metric="tpr@0.01", estimate=Estimate(value=value)
        )
        for name, value in (("none", 0.2), ("x:1", 0.2), ("x:2", 0.05), ("pptp:x:1/protect=back", 0.24))
        for seed in range(3)
    )
    both = Protection(found.rows + other, Path())
    (at_none, *_) = matched(both, list(EVERYWHERE), ["pptp:x:1/protect=back"], SEVERAL)
    assert np.allclose(at_none.ratio.values, 0.24 / 0.30)
