"""What an audit tells in nats: planted laws, nothing planted, noise from above, a run folder."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vestige
from vestige.audits.information import Evidence, leakage_of, measured, too_few
from vestige.audits.information_bracket import check
from vestige.audits.information_limit import NO_NOISE, UpperLimit, replaced_leakage, upper_limit
from vestige.audits.left_out import LeftOut, laws_left_out
from vestige.core.errors import InputError
from vestige.data.membership import independent, paired
from vestige.risk.estimate import Estimate
from vestige.risk.summary import summarize
from vestige.signals.source import ArraySignals
from vestige.stats.ranks import spearman

NOTHING = UpperLimit(leakage=None, reason=NO_NOISE)
PRIVATE = {"type": "DPSGD", "delta": 1e-5, "clip": 1.0, "noise": 4.0, "epsilon": None, "accountant": "rdp"}


def planted(shift=0.0, spread=1.0, models=64, samples=150, seed=0, limit=NOTHING, checkpoints=1):
    """Scaled logits N(0, 1) without the record and N(shift, spread^2) with it; the logit is the attack."""
    membership = paired(models, samples, seed)
    values = np.random.default_rng(seed).normal(size=(models, checkpoints, samples))
    final = membership.mask
    values[:, -1] = np.where(final, shift + spread * values[:, -1], values[:, -1])
    scores = values[:, -1]
    return Evidence(
        signals=ArraySignals({"scaled_logit": values[..., None]}),
        membership=membership,
        ids=np.arange(samples) + 7,
        epochs=np.arange(checkpoints, dtype=float),
        attacks=(summarize(scores, membership.mask, membership.clusters(), attack="logit"),),
        scores=lambda _: scores,
        limit=limit,
        seed=seed,
    )


@pytest.fixture(scope="module")
def moved():
    return measured(planted(1.0, samples=400, checkpoints=3)).information


def test_a_planted_shift_is_found_between_its_bounds(moved):
    truth = {"kl": 0.5, "kl_reverse": 0.5, "mutual_information": 0.111421, "advantage": 0.382925}
    for name, value in truth.items():
        bracket, amount = moved.bracket(name), moved.amount(name)
        assert bracket.failures == ()
        assert 0.3 * value < bracket.lower.value <= value
        assert amount.mean.value == pytest.approx(value, rel=0.06)
        assert amount.mean.low < value < amount.mean.high
        assert moved.amount(f"{name}_one_variance").mean.value == pytest.approx(value, rel=0.06)
    assert 0.3 < moved.amount("kl_neighbors").mean.value < 0.5  # too small, as its definition says
    at_one_percent = moved.consistency[0]
    assert at_one_percent.measured.value == pytest.approx(0.0924, abs=0.006)
    assert at_one_percent.expected == pytest.approx(0.0924, abs=0.01)
    assert at_one_percent.limit == pytest.approx(0.2218, abs=0.015)


def test_only_the_checkpoint_with_the_shift_shows_it(moved):
    first, second, last = moved.by_checkpoint
    for quiet in (first, second):
        assert quiet.mean.low < 0 < quiet.mean.high
    assert last.mean.value == moved.amount("kl").mean.value
    assert last.mean.low > 0.4


def test_where_nothing_is_planted_the_bracket_holds_zero():
    found = measured(planted(0.0, samples=400)).information
    assert not any(bracket.failures for bracket in found.brackets)
    for name in ("kl", "kl_reverse", "mutual_information"):
        assert found.bracket(name).lower.value < 0.001
        assert found.amount(name).mean.low < 0.0015
        assert abs(found.amount(name).mean.value) < 0.01
    for bracket in found.attack_bounds:
        assert bracket.advantage.value < 0.005
    assert abs(found.agreements[0].rank_correlation.value) < 0.15
    chance = found.amount("advantage")
    assert chance.mean.value == pytest.approx(chance.by_chance, abs=0.02)


def test_p1_is_the_law_with_the_record():
    found = measured(planted(0.0, spread=0.5, samples=400)).information
    forward, reverse = np.log(2) - 0.375, 1.5 - np.log(2)
    assert found.amount("kl").mean.value == pytest.approx(forward, rel=0.07)
    assert found.amount("kl_reverse").mean.value == pytest.approx(reverse, rel=0.07)


def test_chance_is_what_dealt_coins_give(moved):
    assert abs(moved.amount("kl").by_chance) < 0.02
    assert abs(moved.amount("kl_one_variance").by_chance) < 0.02


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    holds = []
    for seed in range(60):
        membership = paired(32, 60, seed)
        common = np.random.default_rng(seed).normal(size=(32, 1))
        noise = np.random.default_rng(seed + 999).normal(size=(32, 60))
        values = 0.8 * common * (2 * membership.mask - 1) + 0.6 * noise + membership.mask
        left_out = LeftOut.of(membership.clusters())
        again = laws_left_out(values, membership.mask, left_out)
        means = (again.mean1 - again.mean0).mean(1)
        mean = (values * membership.mask).sum() / membership.mask.sum() - values[~membership.mask].mean()
        found = left_out.estimate(float(mean), means)
        holds.append(found.low < 1.0 < found.high)
    assert np.mean(holds) >= 0.85


def test_left_out_laws_are_those_of_the_models_that_stay():
    membership = independent(20, 9, 3)
    values = 1e4 + np.random.default_rng(1).normal(size=(20, 9))
    values[4, 2] = np.nan
    left_out = LeftOut.of(np.arange(20) // 2)
    fast = laws_left_out(values, membership.mask, left_out)
    for group, kept in enumerate(left_out.kept()):
        for sample in range(9):
            for side, variance in ((True, fast.variance1), (False, fast.variance0)):
                chosen = values[kept & (membership.mask[:, sample] == side), sample]
                expected = np.nanvar(chosen, ddof=1)
                assert variance[group, sample] == pytest.approx(expected, rel=1e-6)


def test_a_model_without_finite_values_does_not_count():
    evidence = planted(1.0)
    values = np.stack([evidence.signals.row("scaled_logit", m, 0)[None] for m in range(64)])
    values[5] = np.nan
    values[9, 0, 3] = np.inf
    broken = dataclasses.replace(evidence, signals=ArraySignals({"scaled_logit": values}))
    assert measured(broken).information.amount("kl").mean.value == pytest.approx(0.5, rel=0.12)


def test_an_attack_that_ranks_against_the_estimate_has_a_negative_correlation():
    rng = np.random.default_rng(0)
    strength = np.repeat([0.0, 3.0], 100)
    membership = paired(64, 200, 0)
    values = rng.normal(size=(64, 200)) + strength * membership.mask
    evidence = dataclasses.replace(
        planted(samples=200), signals=ArraySignals({"scaled_logit": values[:, None, :, None]})
    )
    agreements = [
        measured(dataclasses.replace(evidence, scores=lambda _, s=s: s * values)).information.agreements[0]
        for s in (1.0, -1.0)
    ]
    assert agreements[0].rank_correlation.low > 0.6
    assert agreements[1].rank_correlation.value < agreements[0].rank_correlation.low


def test_spearman_is_scipys():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 9, 200).astype(float), rng.normal(size=200)
    one[7], other[9] = np.nan, np.nan
    expected = stats.spearmanr(one, other, nan_policy="omit").statistic
    assert spearman(one, other) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))


@pytest.mark.parametrize("noise", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("rate", [0.01, 0.3, 0.9])
def test_no_step_exceeds_the_limit_of_a_replaced_record(noise, rate):
    """The worst two records push apart; their mixtures are integrated."""
    x = np.linspace(-20, 20, 40001)
    laws = [stats.norm.pdf(x, m) for m in (0.0, 1 / noise, -1 / noise)]
    first, second = ((1 - rate) * laws[0] + rate * moved for moved in laws[1:])
    kl = stats.entropy(first, second)
    found = replaced_leakage(noise, 1, rate)
    assert kl <= float(found.kl) <= 12 * kl
    assert replaced_leakage(noise, 9, rate).kl == pytest.approx(9 * float(found.kl))


def test_private_training_bounds_from_above():
    membership = paired(64, 400, 0)
    recipe = {"privacy": PRIVATE, "batch_size": 40, "epochs": 10}
    limit = upper_limit(recipe, membership)
    assert float(limit.leakage.kl) == pytest.approx(float(replaced_leakage(4.0, 50, 0.2).kl))
    assert "with another record in its place" in limit.reason
    found = measured(planted(0.0, limit=limit)).information
    assert found.bracket("kl").upper.value == pytest.approx(float(limit.leakage.kl))
    assert not any(bracket.failures for bracket in found.brackets)
    assert "noise of private training" in found.randomness
    whole = upper_limit({**recipe, "batch_size": 1000, "epochs": 1}, membership)
    assert float(whole.leakage.kl) == pytest.approx(2 / 16)


def test_with_coins_of_their_own_the_record_is_left_out():
    recipe = {"privacy": PRIVATE, "batch_size": 40, "epochs": 10}
    alone = upper_limit(recipe, independent(64, 400, 0))
    assert "without the record" in alone.reason
    assert float(alone.leakage.kl) < float(upper_limit(recipe, paired(64, 400, 0)).leakage.kl)


def test_a_broken_limit_is_reported_with_its_excess():
    limit = upper_limit({"privacy": PRIVATE, "batch_size": 4, "epochs": 1}, paired(64, 400, 0))
    found = measured(planted(1.0, limit=limit)).information
    broken = {c.left: c for c in found.bracket("kl").failures}
    assert broken["normal laws"].excess == pytest.approx(0.5 - float(limit.leakage.kl), rel=0.15)
    assert "what attacks show" in broken


def test_without_noise_only_the_ceilings_remain():
    assert upper_limit({"privacy": None}, paired(4, 8, 0)).reason == NO_NOISE
    assert "not on record" in upper_limit(None, paired(4, 8, 0)).reason
    found = measured(planted(0.5)).information
    assert found.bracket("kl").upper.value is None
    assert found.bracket("mutual_information").upper.value == pytest.approx(np.log(2))
    assert found.bracket("advantage").upper.value == 1.0


@pytest.mark.parametrize(
    ("small", "large", "word"),
    [((1.0, 0.9, 1.1), (2.0, None, None), "holds"), ((1.0, 0.4, 1.6), (0.5, None, None), "within error"),
     ((1.0, None, None), (0.5, 0.3, 0.7), "fails"), ((1.0, None, None), (0.9, 0.7, 1.05), "within error")],
)  # fmt: skip
def test_an_inequality_is_judged_by_the_nearer_ends(small, large, word):
    ends = ("value", "low", "high")
    found = check("a", Estimate(**dict(zip(ends, small, strict=True))), "b",
                  Estimate(**dict(zip(ends, large, strict=True))))  # fmt: skip
    assert found.word == word
    assert found.excess == pytest.approx(small[0] - large[0])


def test_too_few_models_are_refused_with_a_remedy():
    with pytest.raises(InputError, match=r"models=8: .*only 4 models on one side.*--models 24"):
        measured(planted(models=8))
    assert too_few(paired(16, 9, 0)) == ""


def test_a_temperature_adds_the_gap_of_losses():
    evidence = planted(1.0)
    found = measured(evidence, temperature=2)
    mask, logits = evidence.membership.mask, evidence.scores("logit")
    losses = np.logaddexp(0, -logits)
    gap = [(losses[~mask[:, i], i].mean() - losses[mask[:, i], i].mean()) / 2 for i in range(150)]
    np.testing.assert_allclose(found.records["loss_gap"], gap, atol=1e-12)
    amount = found.information.amount("loss_gap")
    assert amount.mean.low < np.mean(gap) < amount.mean.high
    assert "temperature 2" in amount.title
    with pytest.raises(InputError, match="temperature=0"):
        measured(evidence, temperature=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    options = {"models": 16, "epochs": 24, "checkpoints": 3, "samples": 300, "jobs": 1, "batch_size": 16}
    return vestige.audit("digits", out=folder, **options)


def test_a_run_folder_is_enough(run):
    found = leakage_of(run.folder)
    table = pd.read_parquet(run.folder / "leakage.parquet")
    pd.testing.assert_frame_equal(table, found.records)
    assert set(table["sample"]) == set(run.samples["sample"])
    assert {"kl", "kl_reverse", "mutual_information", "advantage", "tpr_limit_at_0.01"} <= set(table)
    assert table["tpr_limit_at_0.001"].le(table["tpr_limit_at_0.01"]).all()
    written = json.loads((run.folder / "leakage.json").read_text())
    assert written["schema_version"] == 1
    assert written["headline"] == "lira-online-fixed"
    assert [row["attack"] for row in written["attack_bounds"]] == [a.attack for a in run.result.attacks]


def test_overfitted_models_tell_and_untrained_ones_do_not(run):
    found = leakage_of(str(run.folder)).information
    start, _, end = found.by_checkpoint
    assert start.mean.low < 0 < start.mean.high
    assert end.mean.low > 0
    assert found.bracket("kl").lower.value <= end.mean.value


def test_the_audit_itself_writes_the_same(run):
    before = (run.folder / "leakage.json").read_text()
    leakage_of(run.folder)
    assert (run.folder / "leakage.json").read_text() == before
    page = (run.folder / "report.html").read_text()
    assert 'id="figure-information-exposure"' in page
    assert "Nothing bounds it from above" in page


def test_a_small_audit_says_why_there_is_no_estimate(tmp_path):
    options = {"models": 8, "epochs": 2, "samples": 60, "jobs": 1, "attack": "loss"}
    audit = vestige.audit("digits", out=tmp_path / "a", **options)
    assert "no density is fitted to fewer than 8" in audit.report.read_text().replace("\n", " ")
    assert not (tmp_path / "a" / "leakage.json").exists()


def test_folders_that_are_no_finished_runs_are_refused(run, tmp_path):
    with pytest.raises(InputError, match="not the folder of a run"):
        leakage_of(tmp_path)
    cut = tmp_path / "cut"
    cut.mkdir()
    for name in ("manifest.json", "signals"):
        (cut / name).symlink_to(run.folder / name)
    with pytest.raises(InputError, match=r"no summary\.json"):
        leakage_of(cut)
