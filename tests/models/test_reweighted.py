"""Logit reweighting: its formula, what it keeps, and the module that carries it."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from vestige.core.errors import InputError
from vestige.models.reweighted import Reweighted, class_centroids, fit, pairs, reweight, towards

CLASSES = 4


def cloud(seed, samples=60, classes=CLASSES):
    """Labels, and logits that mostly predict them."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(classes, (samples,), generator=generator)
    noise = 1.5 * torch.randn(samples, classes, generator=generator)
    return noise + 3 * nn.functional.one_hot(labels, classes), labels


def slowly(logits, centroids, weight, hard, clamp):
    """The same, one query after the other in plain Python."""
    rows = []
    for z in logits.double().tolist():
        mu = centroids[int(np.argmax(z))].double().tolist()
        if not any(mu):
            rows.append(z)
            continue
        s = weight * float(np.dot(z, mu) / np.linalg.norm(z) / np.linalg.norm(mu))
        s = 0.0 if hard or (clamp and s < 0) else s
        rows.append([s * a + (1 - s) * b for a, b in zip(z, mu, strict=True)])
    return torch.tensor(rows)


@pytest.mark.parametrize("clamp", [True, False])
@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("weight", [0, 0.1, 1.0])
def test_it_is_the_formula(weight, hard, clamp):
    logits, labels = cloud(0)
    centroids = class_centroids(logits, labels, CLASSES)
    centroids[2] = 0.0
    ours = reweight(logits, centroids, weight, hard, clamp)
    torch.testing.assert_close(ours, slowly(logits, centroids, weight, hard, clamp).float())


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), weight=st.floats(0, 1))
def test_the_predicted_class_stays(seed, weight):
    logits, labels = cloud(seed)
    centroids = class_centroids(logits, labels, CLASSES)
    others, _ = cloud(seed + 1)
    for queries in (logits, 5 * others, -others):
        assert (reweight(queries, centroids, weight).argmax(-1) == queries.argmax(-1)).all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_classes_are_only_names(seed):
    logits, labels = cloud(seed)
    order = torch.randperm(CLASSES, generator=torch.Generator().manual_seed(seed))
    back = order.argsort()
    plain = reweight(logits, class_centroids(logits, labels, CLASSES))
    renamed = reweight(logits[:, order], class_centroids(logits[:, order], back[labels], CLASSES))
    torch.testing.assert_close(renamed, plain[:, order])


def test_weight_zero_and_the_hard_variant_return_centroids():
    logits, labels = cloud(1)
    centroids = class_centroids(logits, labels, CLASSES)
    expected = centroids[logits.argmax(-1)]
    assert torch.equal(reweight(logits, centroids, 0.0), expected)
    assert torch.equal(reweight(logits, centroids, 0.7, hard=True), expected)


def test_what_is_left_lies_between_minus_and_plus_the_weight():
    logits, labels = cloud(2)
    centroids = class_centroids(logits, labels, CLASSES)
    against = -10 * centroids[0] + 1e3 * torch.eye(CLASSES)[0] * (centroids[0, 0] < 0)
    queries = torch.cat([logits, against[None], -logits])
    own, cosine = towards(queries, centroids)
    assert (cosine.abs() <= 1).all()
    assert (cosine < 0).any()
    clamped, free = (reweight(queries, centroids, 0.3, clamp=clamp) for clamp in (True, False))
    assert torch.equal(clamped[cosine < 0], own[cosine < 0])
    assert torch.equal(clamped[cosine >= 0], free[cosine >= 0])
    assert (free[cosine < 0] != own[cosine < 0]).any()


def test_centroids_are_means_over_true_labels_and_zero_where_they_would_mislead():
    logits, labels = cloud(3)
    logits[labels == 1] -= 20 * torch.eye(CLASSES)[1]  # nearly all of class 1 are predicted as something else
    labels[labels == 2] = 3
    found = class_centroids(logits, labels, CLASSES)
    torch.testing.assert_close(found[0], logits[labels == 0].mean(0))
    assert not found[1].any()
    assert not found[2].any()
    queries = 9 * torch.eye(CLASSES)
    assert torch.equal(reweight(queries, found)[1:3], queries[1:3])
    assert (reweight(queries, found)[0] != queries[0]).any()


def test_many_models_are_reweighted_as_each_alone():
    both = [cloud(seed) for seed in (4, 5)]
    centroids = torch.stack([class_centroids(*one, CLASSES) for one in both])
    together = reweight(torch.stack([logits for logits, _ in both]), centroids)
    for one, (logits, _), own in zip(together, both, centroids, strict=True):
        assert torch.equal(one, reweight(logits, own))


def trained(outputs=3, samples=90):
    torch.manual_seed(0)
    inputs = torch.randn(samples, 6)
    labels = inputs[:, : max(2, outputs)].argmax(-1)
    module = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, outputs))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(pairs(module(inputs)), labels).backward()
        optimizer.step()
    return module, inputs, labels


def test_fitting_leaves_the_module_and_the_random_state_as_they_were():
    module, inputs, labels = trained()
    before, state = torch.get_rng_state(), {k: v.clone() for k, v in module.state_dict().items()}
    released = fit(module, inputs.numpy().tolist(), labels.numpy().astype(np.int32))
    assert module.training
    assert released.training
    assert all(torch.equal(v, state[k]) for k, v in module.state_dict().items())
    assert torch.equal(before, torch.get_rng_state())
    released.eval()
    plain = module(inputs)
    torch.testing.assert_close(released(inputs), reweight(plain, class_centroids(plain, labels, 3)))


def test_one_logit_stands_for_a_pair_and_comes_back_as_one():
    module, inputs, labels = trained(outputs=1)
    released = fit(module, inputs, labels).eval()
    shown, plain = released(inputs), module(inputs)
    assert shown.shape == plain.shape
    whole = reweight(pairs(plain), class_centroids(pairs(plain), labels, 2))
    torch.testing.assert_close(shown[:, 0], whole[:, 1] - whole[:, 0])
    flat = fit(nn.Sequential(module, nn.Flatten(0)), inputs, labels).eval()
    torch.testing.assert_close(flat(inputs), shown[:, 0])


def test_it_can_be_saved_exported_and_differentiated():
    module, inputs, labels = trained()
    released = fit(module, inputs, labels, weight=0.3).eval()
    file = io.BytesIO()
    torch.save(released, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=False)(inputs), released(inputs))
    other = Reweighted(trained()[0], torch.zeros(3, 3), weight=0.3).eval()
    other.load_state_dict(released.state_dict())
    assert torch.equal(other(inputs), released(inputs))
    exported = torch.export.export(released, (inputs,)).module()
    torch.testing.assert_close(exported(inputs), released(inputs))
    point = inputs[:5].double().requires_grad_()
    assert torch.autograd.gradcheck(released.double(), (point,))


def test_all_queries_are_reweighted_unless_outlying_ones_are_asked_for():
    module, inputs, labels = trained()
    module.eval()
    everyone, outlying = (
        fit(module, inputs, labels),
        fit(module, inputs, labels, queries="outlying", share=0.2),
    )
    plain = module(inputs)
    assert (everyone(inputs) != plain).any(-1).all()
    changed = (outlying(inputs) != plain).any(-1)
    assert changed.sum() == pytest.approx(0.2 * len(inputs), abs=1)
    _, cosine = towards(plain, outlying.centroids)
    assert cosine[changed].max() < cosine[~changed].min()
    assert torch.equal(outlying(inputs)[changed], everyone(inputs)[changed])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 1.5}, "weight=1.5"),
        ({"fallback": "nothing"}, "fallback='nothing'"),
        ({"queries": "some"}, "queries='some'"),
        ({"share": -1}, "share=-1"),
        ({"num_classes": 5}, "num_classes=5"),
        ({"labels": np.zeros(3, int)}, "one for each of 90"),
        ({"labels": np.full(90, 7)}, "must lie in 0 to 2"),
        ({"labels": np.zeros(90)}, "whole numbers"),
        ({"labels": np.zeros(90, int), "fallback": "error"}, r"classes \[.*1, 2\].*fallback='identity'"),
    ],
)
def test_what_cannot_be_fitted_is_refused(options, message):
    module, inputs, labels = trained()
    with pytest.raises(InputError, match=message):
        fit(module, inputs, options.pop("labels", labels), **options)


def test_centroids_must_be_square():
    with pytest.raises(InputError, match="one row of logits per class"):
        Reweighted(nn.Identity(), torch.zeros(2, 3))
