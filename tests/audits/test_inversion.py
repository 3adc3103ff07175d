"""Undoing logit reweighting: exact with known class means, and stronger than taking outputs as they are."""

import numpy as np
import pytest
import torch
from torch import nn

import vestige
from vestige.attacks.score import score
from vestige.audits.adaptive import adapted
from vestige.audits.inversion import Inversion, estimated_centroids, invert
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.data import sources
from vestige.models.catalog import ModelSpec
from vestige.models.reweighted import class_centroids, fit, reweight, towards
from vestige.population.fit import fit as trained
from vestige.signals.source import read
from vestige.stats.roc import roc
from vestige.training.optimizers import Adam
from vestige.training.output import LogitReweighting
from vestige.training.recipe import Recipe


def digits():
    data = sources.load("digits")
    return torch.from_numpy(data.as_floats()).flatten(1), torch.as_tensor(data.targets).long()


def split(seed, size=300):
    order = np.random.default_rng(seed).permutation(1797)
    return order[:size], order[size : 2 * size]


def memorized(seed, inputs, labels):
    """A 64-128-10 perceptron after 200 epochs of Adam."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(nn.Linear(64, 128), nn.Tanh(), nn.Linear(128, 10))
        optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
        for _ in range(200):
            for part in torch.randperm(len(inputs)).split(32):
                optimizer.zero_grad()
                nn.functional.cross_entropy(module(inputs[part]), labels[part]).backward()
                optimizer.step()
    return module.requires_grad_(False)


@pytest.fixture(scope="module")
def one():
    """Logits of members and others of one model on digits, as they are and as they are released."""
    inputs, labels = digits()
    members, others = split(0)
    module = memorized(0, inputs[members], labels[members])
    released = fit(module, inputs[members], labels[members]).eval()
    asked = inputs[np.concatenate([members, others])]
    return module(asked), released(asked), released.centroids


def test_with_known_class_means_nearly_all_logits_come_back(one):
    logits, outputs, centroids = one
    found = invert(outputs, centroids, 0.1)
    near = (found - logits).abs().amax(-1) < 1e-3
    assert near.double().mean() >= 0.94
    assert found.isfinite().all()
    again = reweight(found, centroids.double(), 0.1)  # those that do not come back give the same output
    torch.testing.assert_close(again, outputs.double(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("weight", [0.05, 0.1, 0.5, 1.0])
def test_an_inversion_predicts_the_same_class_and_gives_the_same_output(weight):
    generator = torch.Generator().manual_seed(3)
    labels = torch.randint(5, (500,), generator=generator)
    logits = torch.randn(500, 5, generator=generator) + 4 * nn.functional.one_hot(labels, 5)
    centroids = class_centroids(logits, labels, 5)
    outputs = reweight(logits, centroids, weight)
    found = invert(outputs, centroids, weight)
    told = found.isfinite().all(-1)
    _, cosine = towards(logits, centroids)
    assert told[cosine > 0.05].all()
    assert (found[told].argmax(-1) == logits[told].argmax(-1)).all()
    again = reweight(found[told], centroids.double(), weight)
    torch.testing.assert_close(again, outputs[told].double(), atol=1e-4, rtol=1e-4)


def test_clamped_and_hard_outputs_cannot_be_inverted_and_unchanged_ones_need_not_be():
    centroids = torch.tensor([[3.0, -1.0, -1.5], [0.0, 0.0, 0.0], [-1.0, -1.0, 2.0]])
    opposite = torch.tensor([[-3.0, -3.1, -3.2]])  # predicts class 0 with a cosine below 0
    assert towards(opposite, centroids)[1] < 0
    assert invert(reweight(opposite, centroids, 0.1), centroids, 0.1).isnan().all()
    ordinary = torch.tensor([[4.0, 1.0, 0.0]])
    assert invert(reweight(ordinary, centroids, hard=True), centroids, 0.0).isnan().all()
    kept = torch.tensor([[0.0, 2.0, 1.0]])
    assert torch.equal(invert(reweight(kept, centroids, 0.1), centroids, 0.1), kept.double())


def test_class_means_can_be_estimated_from_released_outputs_alone(one):
    logits, outputs, centroids = one
    found = estimated_centroids(outputs)
    error = (found - centroids).norm(dim=-1) / centroids.norm(dim=-1)
    assert error.max() < 0.05
    assert not estimated_centroids(outputs[:, :9])[outputs[:, :9].argmax(-1).bincount(minlength=9) == 0].any()
    told = invert(outputs, found, 0.1)
    assert told.isfinite().all(-1).double().mean() > 0.8
    before = (outputs - logits).norm(dim=-1)
    after = (told - logits).norm(dim=-1)
    assert after.nanmedian() < 0.5 * before.median()


def population(folder, output, models=12):
    recipe = Recipe(
        model=ModelSpec("mlp-32"), epochs=30, batch_size=64, optimizer=Adam(lr=5e-3), output=output
    )
    options = Options(dataset="digits", samples=600, models=models, checkpoints=2, jobs=1, attack=("loss",))
    plan = prepare(options, recipe=recipe).plan
    return plan, trained(plan, folder, jobs=1)


def auc(values, membership):
    scores = score(values, membership, "lira-online-fixed").values
    return np.mean([roc(row, coin).auc for row, coin in zip(scores, membership.mask, strict=True)])


def test_references_with_the_same_defense_and_an_inversion_give_the_signal_back(tmp_path):
    plan, plainly = population(tmp_path / "plain", None)
    defended, found = population(tmp_path / "defended", LogitReweighting())
    undefended, released = (
        np.stack([read(fitted.signals, "scaled_logit", model, -1)[:, 0] for model in range(12)])
        for fitted in (plainly, found)
    )
    known = adapted(defended, found.store, undo=Inversion())
    assert known.undone.mean() > 0.9
    near = np.abs(known.scaled_logits - undefended) < 1e-2
    assert near.mean() > 0.85
    rates = [auc(v, plan.membership) for v in (released, known.scaled_logits, undefended)]
    assert rates[0] + 0.02 < rates[1] < rates[2] + 0.01
    estimated = adapted(defended, found.store, undo=Inversion(estimated=True))
    assert auc(estimated.scaled_logits, plan.membership) < rates[1]


def test_what_is_not_undone_is_taken_as_it_is_released(tmp_path):
    defended, found = population(tmp_path, LogitReweighting(hard=True), models=2)
    inverted = adapted(defended, found.store, undo=Inversion())
    asked = adapted(defended, found.store)
    changed = inverted.undone == 1  # of classes without a mean
    assert not changed.all()
    assert np.array_equal(inverted.losses, asked.losses)
    assert np.array_equal(inverted.scaled_logits, asked.scaled_logits)


def test_models_without_the_defense_are_left_as_they_are():
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(Inversion()(nn.Linear(2, 3), logits), logits)


def test_a_comparison_holds_the_inversion_and_the_page_its_threat_model(tmp_path):
    found = vestige.compare(
        "digits",
        ["logit_reweighting:0.1"],
        seeds=1,
        distance=False,
        out=tmp_path / "run",
        samples=200,
        models=4,
        epochs=6,
        model="mlp-16",
        jobs=1,
        attack="lira-online-fixed",
    )
    assert not found.failures
    table = found.table.set_index(["defense", "attack", "metric"]).value
    name = "logit_reweighting:0.1"
    for attack in ("inversion", "inversion-estimated"):
        assert (name, f"lira-{attack}", "tpr@0.01") in table.index
        assert (name, f"loss-{attack}", "advantage") in table.index
    assert 0.5 < table[name, "lira-inversion", "undone"] <= 1
    assert ("none", "lira-inversion", "auc") not in table.index
    assert table["none", "utility", "test_accuracy"] == table[name, "utility", "test_accuracy"]
    page = found.report.read_text(encoding="utf-8")
    assert "cannot estimate the mean logits of a class" in page
    assert "nan as released" not in page  # so few samples have no TPR at 1 %
    assert "Logits undone" in page


@pytest.mark.study
def test_on_digits_what_is_left_is_about_the_gap_between_accuracies():
    """Ten seeds, the same model before and after: AUC near 50 + gap / 2, advantage no less than the gap."""
    inputs, labels = digits()
    rows = np.array([before_and_after(seed, inputs, labels) for seed in range(10)])
    gap, auc_before, advantage_before, auc_after, advantage_after = rows.mean(0)
    assert abs(auc_after - (50 + gap / 2)) <= 2.5
    assert advantage_after >= gap - 1
    assert auc_before - auc_after > 1
    assert advantage_before - advantage_after > 4


def before_and_after(seed, inputs, labels):
    """In percent: the accuracy gap, then AUC and advantage of the loss threshold without and with defense."""
    members, others = split(seed)
    module = memorized(seed, inputs[members], labels[members])
    released = fit(module, inputs[members], labels[members]).eval()
    asked = np.concatenate([members, others])
    right, member = labels[asked], np.arange(len(asked)) < len(members)
    plain, shown = module(inputs[asked]), released(inputs[asked])
    assert torch.equal(plain.argmax(-1), shown.argmax(-1))
    correct = (plain.argmax(-1) == right).numpy()
    found = [100 * (correct[member].mean() - correct[~member].mean())]
    for logits in (plain, shown):
        loss = nn.functional.cross_entropy(logits.double(), right, reduction="none")
        curve = roc(-loss.numpy(), member)
        found += [100 * curve.auc, 100 * curve.advantage]
    return found
