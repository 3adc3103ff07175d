"""Scaled logits order samples as cross-entropy does; the advantage is the Kolmogorov-Smirnov statistic."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn

from vestige.signals.confidence import Prediction, scaled_logit
from vestige.stats.roc import roc


@pytest.mark.parametrize("classes", [2, 10])
def test_a_threshold_on_the_loss_is_one_on_the_scaled_logit(classes):
    generator = torch.Generator().manual_seed(classes)
    logits = (3 * torch.randn(500, classes, generator=generator)).double()
    labels = torch.randint(classes, (500,), generator=generator)
    member = torch.rand(500, generator=generator) < 0.5
    loss = nn.functional.cross_entropy(logits, labels, reduction="none")
    scaled = scaled_logit(Prediction(logits, labels))
    torch.testing.assert_close(scaled, -loss - torch.log(-torch.expm1(-loss)), atol=1e-9, rtol=1e-9)
    one, other = (roc(values.numpy(), member.numpy()) for values in (scaled, -loss))
    assert np.array_equal(one.fpr, other.fpr)
    assert np.array_equal(one.tpr, other.tpr)
    assert one.auc == other.auc


@pytest.mark.parametrize("decimals", [0, 1, 9], ids=["ties", "some ties", "no ties"])
def test_the_advantage_is_the_kolmogorov_smirnov_statistic(decimals):
    generator = np.random.default_rng(decimals)
    member = generator.random(400) < 0.4
    scores = np.round(generator.normal(size=400) + member, decimals)
    expected = stats.ks_2samp(scores[member], scores[~member], alternative="less").statistic
    assert roc(scores, member).advantage == pytest.approx(expected, abs=1e-12)
    both = stats.ks_2samp(scores[member], scores[~member]).statistic
    assert max(roc(scores, member).advantage, roc(-scores, member).advantage) == pytest.approx(
        both, abs=1e-12
    )
