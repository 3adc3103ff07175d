"""Powers of power laws, and how often their intervals hold the truth."""

import numpy as np
import pytest
from scipy import stats

from vestige.core.errors import InputError
from vestige.leakage.slope import log_log_slope


def test_an_exact_power():
    x = np.array([1, 2, 4, 9])
    found = log_log_slope(x, 3 / x**2)
    assert found.value == pytest.approx(-2)
    assert found.low == pytest.approx(found.high)


def test_the_interval_is_that_of_a_regression():
    x, y = np.array([1.0, 2, 4, 8, 16]), np.array([10.0, 6, 2, 1.5, 0.4])
    fitted = stats.linregress(np.log(x), np.log(y))
    half = fitted.stderr * stats.t.ppf(0.975, 3)
    found = log_log_slope(x, y)
    np.testing.assert_allclose(
        [found.value, found.low, found.high], [fitted.slope, fitted.slope - half, fitted.slope + half]
    )
    assert found.kind == "points"
    assert "interval" in found.sentence


def test_coverage_over_points():
    rng, x = np.random.default_rng(0), np.array([1.0, 2, 4, 8, 16])
    hits = [
        found.low < -1.5 < found.high
        for found in (log_log_slope(x, x**-1.5 * np.exp(rng.normal(0, 0.3, 5))) for _ in range(400))
    ]
    assert 0.91 < np.mean(hits) < 0.985  # 0.95 by 4 standard errors


def test_records_that_share_their_luck_leave_the_slope_certain():
    luck = np.random.default_rng(1).exponential(size=50)
    sizes = [10, 20, 40]
    shared = log_log_slope(sizes, [luck / n for n in sizes])
    assert shared.kind == "records"
    assert shared.high - shared.low < 1e-9
    other = [np.random.default_rng(n).exponential(size=n) / n for n in sizes]
    loose = log_log_slope(sizes, other)
    assert loose.low < -1 < loose.high
    assert loose.high - loose.low > 0.1


def test_what_slope_refuses():
    with pytest.raises(InputError, match="three points"):
        log_log_slope([1, 2], [1, 2])
    with pytest.raises(InputError, match="three points"):
        log_log_slope([1, 2, 3], [1, 2])
    with pytest.raises(InputError, match="different x"):
        log_log_slope([2, 2, 2], [1, 2, 3])
    with pytest.raises(InputError, match="y must hold"):
        log_log_slope([1, 2, 3], [1, 0, 3])
