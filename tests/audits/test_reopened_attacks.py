"""Attacks and measures that open the models again: labels alone, and how wrong classes share what is left."""

import numpy as np
import pytest
import torch
from scipy import stats

from vestige.audits.label_only import DRAWS, SIZES, noise_robustness
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.audits.wrong_classes import wrong_class_spreads
from vestige.population.fit import fit
from vestige.stats.roc import roc
from vestige.training.engine import Material
from vestige.training.reopened import reopened

SMALL = {
    "dataset": "digits",
    "models": 4,
    "model": "mlp-32",
    "jobs": 1,
    "attack": ("loss",),
    "checkpoints": 2,
}


def trained(folder, **options):
    plan = prepare(Options(**{**SMALL, "samples": 200, "epochs": 3, **options})).plan
    return plan, fit(plan, folder, jobs=1).store


def test_robustness_of_a_linear_model_is_that_of_its_margin(tmp_path):
    """With two classes the share of noisy copies on the right side is a normal probability of the margin."""
    plan, store = trained(tmp_path, dataset="breast_cancer", model="linear")
    draws = 400
    found = noise_robustness(plan, store, 1, draws)[0]
    material = Material.of(plan.dataset, torch.device("cpu"))
    module = reopened(plan.recipe, material, store.weights(0))
    with torch.no_grad():
        logits = module(material.inputs).double().numpy()
        weights = module(torch.eye(30)).double().numpy() - module(torch.zeros(1, 30)).double().numpy()
    sign = np.where(material.labels == 1, 1.0, -1.0)
    margin, norm = sign * (logits[:, 1] - logits[:, 0]), np.linalg.norm(weights[:, 1] - weights[:, 0])
    spread = float(material.inputs.std())
    shares = [stats.norm.cdf(margin / (norm * size * spread)) for size in SIZES]
    expected = ((margin > 0) + draws * np.sum(shares, 0)) / (1 + draws * len(SIZES))
    assert np.abs(found - expected).max() < 4 * 0.5 / np.sqrt(draws)
    assert np.abs(found - expected).mean() < 0.02


def test_labels_alone_tell_members_of_an_overfitted_model(tmp_path):
    plan, store = trained(tmp_path, epochs=40, label_noise=0.4, samples=400, model="mlp-128", lr=0.05)
    robust = noise_robustness(plan, store, 2)
    for model in range(2):
        assert roc(robust[model], plan.membership.mask[model]).auc > 0.6


def test_labels_alone_tell_nothing_of_an_untrained_model(tmp_path):
    plan, store = trained(tmp_path, dataset="digits", samples=1200, lr=1e-9)
    robust = noise_robustness(plan, store, 4)
    aucs = [roc(row, coin).auc for row, coin in zip(robust, plan.membership.mask, strict=True)]
    assert np.mean(aucs) == pytest.approx(0.5, abs=0.03)


def test_robustness_counts_copies_and_repeats(tmp_path):
    plan, store = trained(tmp_path)
    once, again = noise_robustness(plan, store, 2), noise_robustness(plan, store, 2)
    assert np.array_equal(once, again)
    copies = once * (1 + DRAWS * len(SIZES))
    assert np.allclose(copies, np.round(copies), atol=1e-9)


def test_wrong_class_spread_against_a_loop(tmp_path):
    plan, store = trained(tmp_path)
    found = wrong_class_spreads(plan, store, 2)
    material = Material.of(plan.dataset, torch.device("cpu"))
    for model in range(2):
        with torch.no_grad():
            logits = reopened(plan.recipe, material, store.weights(model))(material.inputs)
        for sample in (0, 17, 199):
            p = torch.softmax(logits[sample].double(), -1).tolist()
            rest = [value for k, value in enumerate(p) if k != material.labels[sample]]
            assert found[model, sample] == pytest.approx(np.std(rest), abs=1e-6)


def test_two_classes_have_no_spread(tmp_path):
    plan, store = trained(tmp_path, dataset="breast_cancer")
    assert np.isnan(wrong_class_spreads(plan, store, 1)).all()
