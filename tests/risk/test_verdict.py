from dataclasses import replace

import pytest
import synthetic_audit

from vestige.core.errors import InputError
from vestige.risk.estimate import Estimate, unsupported
from vestige.risk.verdict import Policy, judge, measured, parse_policy


@pytest.fixture(scope="module")
def headline():
    return synthetic_audit.audit(synthetic_audit.material(targets=8, samples=300)).headline


def with_auc(headline, low, high):
    return replace(headline, auc=Estimate(value=(low + high) / 2, low=low, high=high))


@pytest.mark.parametrize(
    ("low", "high", "word", "code"),
    [
        (0.61, 0.7, "exceeds", 1),
        (0.5, 0.59, "within", 0),
        (0.5, 0.6, "within", 0),  # a limit that is just reached is kept
        (0.6, 0.7, "cannot tell", 4),  # and not exceeded by an interval that begins at it
        (0.5, 0.7, "cannot tell", 4),
    ],
)
def test_the_interval_decides(headline, low, high, word, code):
    verdict = judge(parse_policy("auc<=0.6"), with_auc(headline, low, high), synthetic_audit.controls())
    assert (verdict.word, verdict.exit_code) == (word, code)
    assert verdict.estimate.low == low


def test_a_value_below_the_limit_is_not_enough(headline):
    summary = replace(headline, auc=Estimate(value=0.51, low=0.45, high=0.65))
    assert judge(parse_policy("auc<=0.6"), summary, ()).word == "cannot tell"


def test_without_policy_nothing_is_judged(headline):
    verdict = judge(None, headline, synthetic_audit.controls())
    assert (verdict.word, verdict.exit_code) == ("not tested", 0)
    assert "No policy was declared" in verdict.sentence


def test_a_failed_control_withholds_the_verdict_with_or_without_policy(headline):
    for policy in (None, parse_policy("auc<=0.99")):
        verdict = judge(policy, headline, synthetic_audit.controls(broken=True))
        assert (verdict.word, verdict.exit_code) == ("not tested", 3)
        assert "blind baseline failed" in verdict.sentence


def test_a_rate_without_a_value_cannot_tell_and_says_why(headline):
    verdict = judge(parse_policy("tpr@0.0001<=0.5"), headline, ())
    assert (verdict.word, verdict.exit_code) == ("cannot tell", 4)
    assert "cannot fix an error rate of 0.01 %" in verdict.sentence


def test_each_metric_finds_its_figure(headline):
    assert measured(parse_policy("auc<=1"), headline) == headline.auc
    assert measured(parse_policy("advantage <= 1"), headline) == headline.advantage
    assert measured(parse_policy("tpr@1e-2<=1"), headline) == headline.rates[1].tpr


def test_policies_are_read_and_written():
    policy = parse_policy(" tpr@0.001 <= 0.02", chosen_by="the owner", reason="agreed")
    assert policy == Policy(metric="tpr@0.001", limit=0.02, chosen_by="the owner", reason="agreed")
    assert parse_policy(str(policy)) == Policy(metric="tpr@0.001", limit=0.02)
    assert policy.in_words == "at most 2 % of members named at an error rate of 0.1 %"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aux<=0.6", "did you mean auc"),
        ("tpr<=0.6", "policy metric"),
        ("tpr@low<=0.6", "policy metric"),
        ("tpr@0<=0.6", "strictly between"),
        ("auc<0.6", "METRIC<=LIMIT"),
        ("auc>=0.6", "METRIC<=LIMIT"),
        ("auc<=2%", "not a number"),
        ("auc<=60", "between 0 and 1"),
        ("auc<=nan", "between 0 and 1"),
    ],
)
def test_a_policy_that_cannot_be_read_is_an_error(text, message):
    with pytest.raises(InputError, match=message):
        parse_policy(text)


def test_a_rate_that_was_not_computed_is_an_error(headline):
    with pytest.raises(InputError, match="not computed"):
        judge(parse_policy("tpr@0.002<=0.6"), headline, ())


def test_an_estimate_without_interval_cannot_tell(headline):
    verdict = judge(
        parse_policy("advantage<=0.5"), replace(headline, advantage=unsupported("No other targets.")), ()
    )
    assert verdict.word == "cannot tell"
    assert "No other targets." in verdict.sentence
