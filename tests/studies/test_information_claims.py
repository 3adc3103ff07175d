"""The claims of the study of information on made-up figures: settings are found, verdicts follow."""

import numpy as np
import pandas as pd
import pytest

from vestige.core.errors import InputError
from vestige.studies.information import PARTS, Settings, parts, study
from vestige.studies.information_claims import CLAIMS
from vestige.studies.information_sweeps import spread


def figures(values, axis="size", setting="made up", seeds=3):
    """values: quantity to {x: value}."""
    return pd.DataFrame(
        [
            {
                "setting": setting, "axis": axis, "x": float(x), "seed": seed, "quantity": quantity,
                "value": value * (1 + 1e-3 * seed),
            }
            for quantity, levels in values.items()
            for x, value in levels.items()
            for seed in range(seeds)
        ]
    )  # fmt: skip


def verdicts(name, frame):
    return {row.claim: row.verdict for row in CLAIMS[name](frame)}


def power(exponent, xs=(40, 80, 160)):
    return {x: (x / 40.0) ** exponent for x in xs}


def test_size_and_weight_hold_where_leakage_falls_and_fail_where_it_rises():
    falling = {"kl mean": power(-2), "mutual_information mean": power(-1)}
    assert set(verdicts("size", figures(falling)).values()) == {"reproduced"}
    assert set(verdicts("weight", figures(falling)).values()) == {"reproduced", "observed"}
    rising = {"kl mean": power(1), "mutual_information mean": power(1)}
    assert set(verdicts("size", figures(rising)).values()) == {"contradicted"}
    # falls from end to end, but not at every step
    bent = {**falling, "kl mean": {40: 4.0, 80: 1.0, 160: 1.5}}
    found = verdicts("size", figures(bent))
    assert found["slope of mean KL in n"] == "reproduced"
    assert found["the flattest step from one n to the next"] == "contradicted"


def test_slopes_are_those_that_were_planted():
    rows = {row.claim: row.ours.value for row in CLAIMS["size"](
        figures({"kl mean": power(-2), "mutual_information mean": power(-1)})
    )}  # fmt: skip
    assert rows["slope of mean KL in n"] == pytest.approx(-2)
    assert rows["mean mutual information, n = 160 over n = 40"] == pytest.approx(0.25)


def test_noise_asks_for_the_rate_of_each_quantity():
    xs = (1.0, 2.0, 4.0)
    kl = {x: 0.01 / x**2 for x in xs}
    good = {
        "kl mean": kl, "kl max": {x: 0.2 / x**2 for x in xs}, "mutual_information mean": kl,
        "advantage mean": {x: 0.1 / x for x in xs},
    }  # fmt: skip
    sizes = figures({"kl mean": {40: 1.0, 80: 1.01, 160: 1.0}}, axis="size, epsilon 1")
    found = verdicts("noise", pd.concat([figures(good, axis="s"), sizes]))
    assert list(found.values()).count("reproduced") == 5
    assert list(found.values()).count("observed") == 1
    broken = {**good, "kl max": {x: 0.3 / x**2 for x in xs}}  # the limit is 1 / (4 s^2)
    assert (
        verdicts("noise", figures(broken, axis="s"))["largest KL over what epsilon allows"] == "contradicted"
    )
    assert spread(1.0, 1e-5) == pytest.approx(3.425795, abs=1e-6)


def test_limits_show_what_is_not_monotone_and_what_ridge_does():
    peaked = figures({"kl mean": {10: 1.0, 160: 50.0, 2560: 5.0}}, axis="features", setting="digits")
    attacks = {
        "advantage, prediction alone": {0.001: 0.3, 1: 0.35, 100: 0.4},
        "advantage, residual": {0.001: 0.99, 1: 0.6, 100: 0.1},
        "advantage, prediction and target": {0.001: 0.99, 1: 0.8, 100: 0.5},
        "kl mean": {0.001: 9.0, 1: 3.0, 100: 0.1},
    }
    rows = CLAIMS["limits"](pd.concat([peaked, figures(attacks, axis="weight", setting="Gaussian")]))
    found = {row.claim: row.verdict for row in rows}
    assert found["mean KL, 160 random features over 10"] == "reproduced"
    assert found["mean KL, 2560 random features over 160"] == "contradicted"
    assert found["advantage, prediction alone: weight 100 less 0.001"] == "reproduced"
    assert found["the same models, parameters with noise: flattest step"] == "reproduced"
    by_claim = {row.claim: row.ours.value for row in rows}
    assert by_claim["advantage, residual: weight 100 less 0.001"] == pytest.approx(-0.89, abs=0.01)


def test_complexity_sensitivity_and_last_layer():
    assert set(verdicts("complexity", figures({"kl mean": power(1)}, axis="features")).values()) == {
        "reproduced"
    }
    correlated = figures({"rank correlation": {0.01: 0.9}}, axis="weight")
    assert set(verdicts("sensitivity", correlated).values()) == {"reproduced"}
    layer = pd.concat(
        [
            figures({"kl mean": power(-2)}),
            figures({"rank correlation": {80: 0.99}, "mean ratio": {80: 1.0}}, axis="refits"),
        ]
    )
    found = verdicts("last layer", layer)
    assert found["slope of mean KL in n, 40 to 160 rows"] == "reproduced"
    assert found["rank correlation of KL against 20 fits without the record, n = 80"] == "reproduced"


def test_every_part_has_its_claims_and_unknown_ones_are_refused(tmp_path):
    assert set(PARTS) == set(CLAIMS)
    assert list(parts(Settings(out=tmp_path, parts=("noise",)))) == ["noise"]
    with pytest.raises(InputError, match="last layer"):
        parts(Settings(out=tmp_path, parts=("last layers",)))
    with pytest.raises(InputError, match="seeds=1"):
        Settings(out=tmp_path, seeds=1)


def test_a_part_is_written_beside_its_table(tmp_path):
    rows = study(Settings(out=tmp_path, parts=("sensitivity",), seeds=2))
    assert {row.verdict for row in rows} == {"reproduced"}
    written = pd.read_parquet(tmp_path / "sensitivity.parquet")
    assert set(written.columns) == {"setting", "axis", "x", "seed", "quantity", "value"}
    assert np.isfinite(written.value).all()
