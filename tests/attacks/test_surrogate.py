import numpy as np
import pytest
from scipy import integrate, linalg

from vestige.attacks import surrogate
from vestige.attacks.kernel import directions, num_copied, nystrom, tangent_kernel
from vestige.attacks.surrogate import Responses, Surrogate

RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(30, 6))
LABELS = np.arange(30) % 3
COINS = RANDOM.random(30)


def exact():
    return Surrogate(nystrom(directions(INPUTS), 30, 0), LABELS)


def refitted(coins, sample):
    """Weighted kernel ridge without the sample, in its dual form: what the closed form must equal."""
    units = directions(INPUTS)
    kernel = tangent_kernel(units, units)
    others = np.flatnonzero((np.arange(30) != sample) & (coins > 0))
    gram = kernel[np.ix_(others, others)] + 0.5 * np.diag(1 / coins[others])
    row = kernel[sample, others]
    outputs = row @ linalg.solve(gram, np.eye(3)[LABELS[others]])
    variance = kernel[sample, sample] - row @ linalg.solve(gram, row)
    own = outputs[LABELS[sample]]
    return own, own - np.delete(outputs, LABELS[sample]).max(), variance


@pytest.mark.parametrize("coins", [COINS, (COINS < 0.5).astype(float), np.full(30, 0.5)])
def test_taking_a_sample_out_equals_fitting_without_it(coins):
    found = exact().response(coins)
    expected = np.array([refitted(coins, sample) for sample in range(30)])
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def refitted_on(mapped, coins, sample):
    """Weighted ridge on the mapped features without the sample, in its primal form."""
    others = np.arange(30) != sample
    weighed = mapped[others] * coins[others, None]
    gram = weighed.T @ mapped[others] + 0.5 * np.eye(mapped.shape[1])
    outputs = mapped[sample] @ linalg.solve(gram, weighed.T @ np.eye(3)[LABELS[others]])
    own = outputs[LABELS[sample]]
    margin = own - np.delete(outputs, LABELS[sample]).max()
    return own, margin, 0.5 * mapped[sample] @ linalg.solve(gram, mapped[sample])


@pytest.mark.parametrize("landmarks", [3, 12, 30])
@pytest.mark.parametrize("coins", [COINS, (COINS < 0.5).astype(float), np.full(30, 0.5)])
def test_with_fewer_landmarks_it_equals_fitting_on_their_features(coins, landmarks):
    mapped = nystrom(directions(INPUTS), landmarks, 0)
    assert mapped.shape[1] == landmarks
    found = Surrogate(mapped, LABELS).response(coins)
    expected = np.array([refitted_on(mapped, coins, sample) for sample in range(30)])
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)


def test_the_own_coin_of_a_sample_changes_nothing_of_its_response():
    before = exact().response(COINS)
    for own in (0.0, 1.0):
        changed = COINS.copy()
        changed[7] = own
        after = exact().response(changed)
        np.testing.assert_allclose(after[7], before[7], rtol=1e-8)
        assert np.abs(after[8] - before[8]).max() > 1e-6


def test_single_precision_is_enough():
    single = Surrogate(nystrom(directions(INPUTS), 30, 0).astype(np.float32), LABELS)
    np.testing.assert_allclose(single.response(COINS), exact().response(COINS), rtol=1e-3, atol=1e-4)


def test_equal_chances_need_no_factorization():
    nearly = np.full(30, 0.3)
    nearly[0] += 1e-13
    for mapped, tolerance in ((nystrom(directions(INPUTS), 20, 0), 1e-9), (None, 1e-5)):
        one = Surrogate(nystrom(directions(INPUTS), 20, 0, np.float32) if mapped is None else mapped, LABELS)
        np.testing.assert_allclose(
            one.response(np.full(30, 0.3)), one.response(nearly), rtol=tolerance, atol=tolerance
        )


def test_no_more_is_kept_of_responses_than_fits(monkeypatch):
    monkeypatch.setattr(surrogate, "KNOWN_BYTES", 3 * 30 * 3 * 4)
    responses = Responses(exact())
    every = [np.full(30, share) for share in (0.1, 0.2, 0.3, 0.4)]
    found = [responses.to_known(coins) for coins in every]
    assert len(responses._known) == 3
    np.testing.assert_array_equal(responses.to_known(every[0]), found[0])  # asked again


def test_known_coins_are_asked_once(monkeypatch):
    responses = Responses(exact())
    first = responses.to_known(COINS)
    monkeypatch.setattr(Surrogate, "response", lambda *_: pytest.fail("asked again"))
    np.testing.assert_array_equal(responses.to_known(COINS.copy()), first)
    with pytest.raises(pytest.fail.Exception):
        responses.to_known(1 - COINS)


@pytest.mark.parametrize("cosine", [-0.9, -0.3, 0.0, 0.4, 0.95])
def test_the_kernel_is_that_of_random_rectifiers(cosine):
    """2 E[relu(u) relu(v)] + 2 c E[step(u) step(v)] over normal u, v of that correlation, by quadrature."""

    def density(v, u):
        rest = 1 - cosine**2
        return np.exp(-(u * u - 2 * cosine * u * v + v * v) / 2 / rest) / (2 * np.pi * np.sqrt(rest))

    rectified = integrate.dblquad(lambda v, u: u * v * density(v, u), 0, 9, 0, 9)[0]
    both = integrate.dblquad(density, 0, 9, 0, 9)[0]
    one, other = np.array([[1.0, 0.0]]), np.array([[cosine, np.sqrt(1 - cosine**2)]])
    assert tangent_kernel(one, other)[0, 0] == pytest.approx(2 * rectified + 2 * cosine * both, abs=1e-6)


def test_landmarks_give_back_the_kernel():
    units = directions(INPUTS)
    kernel = tangent_kernel(units, units)
    whole, some = nystrom(units, 30, 0), nystrom(units, 20, 0)
    np.testing.assert_allclose(whole @ whole.T, kernel, atol=1e-8)
    np.testing.assert_allclose(whole.T @ whole, np.diag((whole**2).sum(0)), atol=1e-8)  # orthogonal columns
    error = np.abs(some @ some.T - kernel)
    assert 0 < error.mean() < 0.1
    assert np.sum(np.diag(error) < 1e-8) == 20  # landmarks themselves are exact


def test_copies_and_constant_inputs_are_no_obstacle():
    same = np.vstack([INPUTS, INPUTS])
    mapped = nystrom(directions(same), 60, 0)
    assert mapped.shape == (60, 30)
    assert np.isfinite(
        Surrogate(nystrom(directions(np.ones((8, 3))), 8, 0), np.arange(8) % 2).response(np.ones(8))
    ).all()


@pytest.mark.parametrize("samples", [40, 5000])
def test_every_copy_of_a_direction_is_counted(samples):
    random = np.random.default_rng(samples)
    inputs = random.normal(size=(samples, 6))
    assert num_copied(directions(inputs)) == 0
    inputs[20:30] = inputs[10:20]
    inputs[30] = inputs[10]
    assert num_copied(directions(inputs)) == 21
    near = inputs + 1e-9 * random.normal(size=inputs.shape)
    assert num_copied(directions(near)) == 21
    assert num_copied(directions(near.astype(np.float32))) == 21
    assert num_copied(directions(inputs + 1e-3 * random.normal(size=inputs.shape))) == 0
    assert num_copied(directions(inputs[:1])) == 0


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 1.0])
def test_nothing_lies_beyond_their_number_where_no_member_is_known(share):
    responses = Responses(exact())
    np.testing.assert_allclose(responses.beyond_number(np.full(30, share)), 0, atol=1e-6)


def test_beyond_their_number_is_the_response_less_that_to_as_many_unknown_others():
    coins = (COINS < 0.4).astype(float)
    found = Responses(exact()).beyond_number(coins)
    for sample in range(30):
        others = np.delete(coins, sample).mean()
        expected = exact().response(coins) - exact().response(np.full(30, others))
        np.testing.assert_allclose(found[sample], expected[sample], atol=1e-4)
    assert np.abs(found).max() > 0.01


def test_the_own_coin_of_a_sample_does_not_count_in_the_number_either():
    responses = Responses(exact())
    for coins in (COINS, np.full(30, 0.5), (COINS < 0.4).astype(float)):
        before = responses.beyond_number(coins)
        for own in (0.0, 1.0):
            changed = coins.copy()
            changed[7] = own
            np.testing.assert_allclose(responses.beyond_number(changed)[7], before[7], rtol=0, atol=1e-7)
