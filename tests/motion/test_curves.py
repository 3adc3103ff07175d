"""Every curve and figure against loops over samples and models, closed forms, null and leaky cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vestige.data.membership import paired
from vestige.motion import entry
from vestige.motion.analysis import dynamics, sample_motion
from vestige.motion.clustering import clark_evans, dense_groups, silhouette
from vestige.motion.crystallization import foreknowledge, rank_correlation, top_overlap
from vestige.motion.curves import motion
from vestige.motion.entropy import spatial_entropy
from vestige.motion.interval import spread_interval
from vestige.motion.measures import AT, BETWEEN, FIGURES
from vestige.motion.speed import debiased_speed, path_speed, run_average, signed_speed
from vestige.motion.state import State, changes, state
from vestige.motion.transition import hazard, per_epoch, transition_counts, transition_matrix
from vestige.risk.decisions import Decisions
from vestige.risk.operating_point import PopulationFPR
from vestige.risk.region import HIGH, NAMED, grid

EPOCHS = np.array([0.0, 1, 3, 7])
MODELS, SAMPLES = 12, 90


def record(strength, models=MODELS, samples=SAMPLES, epochs=EPOCHS, seed=0, alpha=0.05):
    """Decisions of models whose members score higher by strength(checkpoint) [samples]; its membership."""
    membership = paired(models, samples, seed)
    rng = np.random.default_rng(seed)
    decisions = Decisions(membership.mask, epochs, PopulationFPR(alpha))
    for checkpoint in range(len(epochs)):
        for target in range(models):
            scores = rng.standard_normal(samples) + membership.mask[target] * strength(checkpoint)
            decisions.add(target, checkpoint, scores)
    return decisions, membership


@pytest.fixture(scope="module")
def leaky():
    hard = np.linspace(0, 4, SAMPLES)
    return record(lambda checkpoint: hard * checkpoint / 3)


def once(decisions):
    return np.ones((1, len(decisions.member)))


def slow_rates(decisions, checkpoint, sample, drawn):
    """(FPR, TPR) of one sample by counting models one by one, each as often as it was drawn."""
    hits, trials = [0, 0], [0, 0]
    for model in drawn:
        side = int(decisions.member[model, sample])
        hits[side] += bool(decisions.named(checkpoint)[model, sample])
        trials[side] += 1
    return hits[0] / trials[0], hits[1] / trials[1]


def test_curves_equal_loops_over_samples(leaky):
    decisions, membership = leaky
    found = motion(decisions, NAMED, membership.clusters(), replicates=3)
    everyone = range(MODELS)
    rates = [[slow_rates(decisions, t, i, everyone) for i in range(SAMPLES)] for t in range(4)]
    for t in range(4):
        center = np.mean(rates[t], 0)
        assert found.at["displacement"][0, t] == pytest.approx(np.hypot(*(center - np.mean(rates[0], 0))))
        assert found.at["mean_advantage"][0, t] == pytest.approx(np.mean([y - x for x, y in rates[t]]))
        high = [y >= 0.5 and x <= 0.1 for x, y in rates[t]]
        assert found.at["high_share"][0, t] == pytest.approx(np.mean(high))
    for step in range(3):
        gap = EPOCHS[step + 1] - EPOCHS[step]
        pairs = list(zip(rates[step], rates[step + 1], strict=True))
        paths = [np.hypot(b[0] - a[0], b[1] - a[1]) / gap for a, b in pairs]
        assert found.between["speed"][0, step] == pytest.approx(np.mean(paths))
        signed = [((b[1] - b[0]) - (a[1] - a[0])) / gap for a, b in pairs]
        assert found.between["signed_speed"][0, step] == pytest.approx(np.mean(signed))


def test_the_debiased_step_equals_its_formula_model_by_model(leaky):
    decisions, _ = leaky
    expected = []
    for i in range(SAMPLES):
        total = 0.0
        for side in (False, True):
            models = [k for k in range(MODELS) if decisions.member[k, i] == side]
            d = [int(decisions.named(2)[k, i]) - int(decisions.named(1)[k, i]) for k in models]
            total += np.mean(d) ** 2 - np.var(d, ddof=1) / len(d)
        expected.append(total)
    found = debiased_speed(changes(decisions, 1, 2, once(decisions)), 2.0)
    assert found[0] == pytest.approx(np.sqrt(max(0.0, np.mean(expected))) / 2)


def test_the_debiased_step_sees_no_motion_where_only_counts_jitter():
    still, _ = record(lambda _: 1.0, models=32, samples=400, seed=3)
    step = changes(still, 1, 2, once(still))
    assert np.mean(step.squared_step) > 0.01
    assert abs(np.mean(step.squared_step - step.jitter)) < 0.1 * np.mean(step.squared_step)


def test_replicates_are_the_curves_of_models_drawn_again(leaky):
    decisions, membership = leaky
    found = motion(decisions, NAMED, membership.clusters(), replicates=4, seed=5)
    from vestige.risk.resample import resampling

    weights = resampling(membership.clusters(), 5, 4).weights
    for row, weight in enumerate(weights, 1):
        drawn = np.repeat(np.arange(MODELS), weight.astype(int))
        rates = [slow_rates(decisions, 3, i, drawn) for i in range(SAMPLES)]
        assert found.at["mean_advantage"][row, 3] == pytest.approx(np.mean([y - x for x, y in rates]))


def test_blocks_of_replicates_change_nothing(leaky, monkeypatch):
    decisions, membership = leaky
    whole = motion(decisions, NAMED, membership.clusters(), replicates=5)
    monkeypatch.setattr("vestige.motion.curves.NUMBERS_AT_ONCE", 2 * SAMPLES)
    parts = motion(decisions, NAMED, membership.clusters(), replicates=5)
    for name in whole.at:
        assert np.array_equal(whole.at[name], parts.at[name], equal_nan=True)


def cloud(fpr, tpr, regions=NAMED):
    return State(np.atleast_2d(np.asarray(fpr, float)), np.atleast_2d(np.asarray(tpr, float)), regions)


def test_entropy_of_a_point_is_zero_and_of_a_full_grid_two_log_cells():
    assert spatial_entropy(cloud([0.3] * 7, [1.0] * 7))[0] == 0
    centers = (np.arange(10) + 0.5) / 10
    x, y = np.meshgrid(centers, centers)
    assert spatial_entropy(cloud(x.ravel(), y.ravel()))[0] == pytest.approx(2 * np.log2(10))
    assert spatial_entropy(cloud([0.1, 0.9], [0.1, 0.9]), 4)[0] == pytest.approx(1.0)


def test_entropy_puts_a_border_into_the_cell_that_begins_there():
    assert spatial_entropy(cloud([0.3, 3 / 10, 0.6 / 2], [0.0] * 3))[0] == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_transition_rows_sum_to_one_and_count_everybody(pairs):
    before, after = (np.array(side, np.int8) for side in zip(*pairs, strict=True))
    counts = transition_counts(before, after, 5)
    assert counts.sum() == len(pairs)
    for row in range(5):
        expected = [sum((a, b) == (row, column) for a, b in pairs) for column in range(5)]
        assert counts[row].tolist() == expected
    matrix = transition_matrix(counts)
    full = counts.sum(1) > 0
    assert np.allclose(matrix[full].sum(1), 1)
    assert np.isnan(matrix[~full]).all()


def test_the_hazard_is_the_share_of_those_outside_that_enter():
    before = cloud([0, 0, 0, 0], [0.9, 0.1, 0.2, 0.3])
    after = cloud([0, 0, 0, 0], [0.1, 0.8, 0.2, 0.3])
    assert hazard(before, after)[0] == pytest.approx(1 / 3)
    assert np.isnan(hazard(cloud([0], [1]), cloud([0], [1]))[0])
    assert per_epoch(np.array([0.19]), 2.0)[0] == pytest.approx(0.1)


def test_foreknowledge_by_hand():
    now = cloud([0] * 4, [0.9, 0.9, 0.1, 0.0])
    last = cloud([0] * 4, [0.9, 0.1, 0.9, 0.0])
    found = foreknowledge(now, last)
    assert (found.recall[0], found.precision[0], found.jaccard[0]) == (0.5, 0.5, pytest.approx(1 / 3))
    nobody = foreknowledge(now, cloud([0] * 4, [0] * 4))
    assert np.isnan(nobody.recall[0])
    assert np.isnan(nobody.rank_correlation[0])


def test_the_top_overlap_is_the_average_over_random_orders_of_ties():
    rng = np.random.default_rng(0)
    now, last = rng.integers(0, 4, 40) / 4, rng.integers(0, 4, 40) / 4
    draws = []
    for _ in range(4000):
        tops = [set(np.lexsort((rng.random(40), -side))[:4].tolist()) for side in (now, last)]
        draws.append(len(tops[0] & tops[1]) / 4)
    assert top_overlap(now[None], last[None])[0] == pytest.approx(np.mean(draws), abs=0.01)


def test_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 9, (2, 60)) / 9
    assert rank_correlation(one[None], other[None])[0] == pytest.approx(spearmanr(one, other).statistic)


def test_entries_by_hand():
    high = np.array([[0, 1, 0, 0], [1, 0, 0, 1], [0, 1, 0, 1], [1, 1, 0, 0]], bool)
    assert entry.first_entry(high, EPOCHS).tolist()[:2] == [1, 0]
    assert entry.last_entry(high, EPOCHS).tolist()[:2] == [7, 3]
    assert np.isnan(entry.first_entry(high, EPOCHS)[2])
    assert entry.last_entry(high, EPOCHS)[3] == 1


def test_half_time_is_interpolated_and_unknown_without_an_effect():
    rows = np.array([[0, 0.1, 0.3, 0.4], [0.5, 0.1, 0, 0.2], [0, 0, 0, -0.1]])
    found = entry.half_time(rows, EPOCHS)
    assert found[0] == pytest.approx(2.0)
    assert found[1] == 0
    assert np.isnan(found[2])
    assert entry.first_reaching(rows, EPOCHS, 0.3).tolist()[:2] == [3, 0]


def test_a_run_average_weighs_steps_by_their_length():
    assert run_average(np.array([[1.0, 4.0]]), np.array([3.0, 1.0]))[0] == pytest.approx(7 / 4)


def test_clustering_indices_know_a_crowd_from_a_scatter():
    rng = np.random.default_rng(0)
    scatter = rng.random((500, 2))
    crowd = np.concatenate([rng.normal(c, 0.01, (250, 2)) for c in ((0.1, 0.1), (0.1, 0.9))])
    assert clark_evans(scatter) == pytest.approx(1.0, abs=0.08)
    assert clark_evans(crowd) < 0.2
    assert silhouette(crowd) > 0.9 > 0.6 > silhouette(scatter)
    assert dense_groups(crowd) == 2
    assert np.isnan(silhouette(np.zeros((50, 2))))


def test_without_a_leak_nothing_moves():
    decisions, membership = record(lambda _: 0.0, models=64, samples=600, seed=1)
    found = dynamics(decisions, decisions.plane(), membership.clusters(), attack="null", replicates=60)
    advantage = found.curve("mean_advantage").estimates
    # a member exceeds the threshold that n non-members set at k of them with chance (k + 1) / (n + 1)
    chance = 16 / 301 - 15 / 300
    assert all(abs(e.value - chance) < 0.005 and e.low < 0.005 for e in advantage)
    assert found.figure("displacement").estimate.value < 0.01
    assert found.figure("final_high_share").estimate.value == 0
    assert found.figure("early_recall").estimate.value is None
    assert found.figure("known_70").estimate.note == "No record ends in a vulnerable region."


def test_with_a_growing_leak_everything_moves_the_right_way(leaky):
    decisions, membership = leaky
    found = dynamics(decisions, decisions.plane(), membership.clusters(), attack="leaky", replicates=60)
    assert found.figure("displacement").estimate.low > 0.2
    assert found.figure("displacement_x1000").estimate.value == pytest.approx(
        1000 * found.figure("displacement").estimate.value
    )
    assert found.figure("entropy_change").estimate.low > 0
    assert 0 < found.figure("half_time").estimate.value < 7
    assert found.figure("peak_hazard").estimate.value > 0.1
    recall = [e.value for e in found.curve("recall").estimates]
    assert recall[0] < 0.2 < 0.4 < recall[2] < recall[3] == 1
    for curve in (*found.curves, *found.figures):
        for e in getattr(curve, "estimates", None) or (curve.estimate,):
            assert e.value is None or e.low is None or e.low <= e.value <= e.high
    flows = [np.array(t.counts) for t in found.transitions]
    assert all(flow.sum() == SAMPLES for flow in flows)
    assert np.array_equal(flows[0].sum(0), flows[1].sum(1))
    assert {c.name for c in found.curves} == {m.name for m in (*AT, *BETWEEN)}
    assert {m.name for m in FIGURES} <= {f.name for f in found.figures}


def test_a_plain_grid_serves_as_regions(leaky):
    decisions, membership = leaky
    plane = decisions.plane(grid(5))
    found = dynamics(decisions, plane, membership.clusters(), attack="a", replicates=20)
    assert len(found.regions) == 25
    assert found.curve("high_share").estimates[-1].value == pytest.approx(plane.high[-1].mean())


def test_one_checkpoint_has_no_dynamics(leaky):
    decisions, membership = record(lambda _: 1.0, epochs=np.array([5.0]))
    assert dynamics(decisions, decisions.plane(), membership.clusters(), attack="a") is None


def test_samples_move_as_their_states_do(leaky):
    decisions, _ = leaky
    plane = decisions.plane()
    found = sample_motion(plane)
    steps = [
        path_speed(
            *(state(decisions, t, once(decisions), NAMED) for t in (s, s + 1)), EPOCHS[s + 1] - EPOCHS[s]
        )
        for s in range(3)
    ]
    assert np.allclose(found.peak_speed, np.max(steps, 0)[0])
    ends = plane.regions[-1] == HIGH
    assert ends.any()
    assert np.array_equal(found.last_entry[ends], EPOCHS[plane.first_exposed[ends]])


def test_signed_speed_ignores_samples_that_nobody_scored():
    before, after = cloud([0, np.nan], [0.2, 0.1]), cloud([0, 0], [0.6, 0.9])
    assert signed_speed(before, after, 2.0)[0] == pytest.approx(0.2)


def test_the_interval_is_centered_on_the_value_whatever_shifts_the_replicates():
    rng = np.random.default_rng(0)
    rows = np.append(1.0, 3.0 + 0.1 * rng.standard_normal(4000))
    found = spread_interval(rows, 50)
    assert (found.low, found.high) == (pytest.approx(0.804, abs=0.01), pytest.approx(1.196, abs=0.01))
    few = spread_interval(rows, 4)
    assert few.high - few.low > 1.5 * (found.high - found.low)
    assert spread_interval(rows, 1).low is None
    assert spread_interval(np.full(5, np.nan), 9, note="why").note == "why"
    assert spread_interval(rows, 50, most=1.1).high == 1.1


def test_intervals_cover_what_a_new_population_of_models_would_give():
    """The mean advantage of 24 models against that of very many, 60 times; 95 % should be covered."""
    hard = np.linspace(0, 3, 60)
    truth = []
    covered = 0
    runs = [
        record(lambda t: hard * t, models=24, samples=60, epochs=np.array([0.0, 1]), seed=100 + s)
        for s in range(60)
    ]
    found = [motion(d, NAMED, m.clusters(), replicates=80, seed=s) for s, (d, m) in enumerate(runs)]
    truth = np.mean([f.at["mean_advantage"][0, 1] for f in found])
    for f in found:
        estimate = spread_interval(f.at["mean_advantage"][:, 1], f.clusters)
        covered += estimate.low <= truth <= estimate.high
    assert covered >= 51  # 95 % of 60 is 57; below 51 would happen once in 2,000 times
