"""Losses against autograd, and against their definitions written out sample by sample."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from vestige.core.errors import InputError
from vestige.core.record import content_hash, plain
from vestige.training.losses import CrossEntropy, RelaxLoss

CLASSES = 5
SPREADS = (0.1, 1.0, 4.0)  # of the logits: from all above a level of 1 nat to all below


def case(spread=1.0, batch=7, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = spread * torch.randn(batch, CLASSES, generator=generator, dtype=torch.float64)
    labels = torch.randint(CLASSES, (batch,), generator=generator)
    likely = torch.arange(batch) % 2 == 0
    logits[likely, labels[likely]] += 2 * spread  # right answers as well as wrong ones
    rows = torch.softmax(torch.randn(batch, CLASSES, generator=generator, dtype=torch.float64), -1)
    return logits, labels, rows


def autograd(loss, logits, targets, epoch):
    """The gradient of the mean, times the batch: what each sample's own logits get."""
    leaf = logits.clone().requires_grad_()
    loss(leaf, targets, epoch).mean().backward()
    return leaf.grad * len(logits)


LOSSES = {
    "plain": CrossEntropy(),
    "smoothed": CrossEntropy(label_smoothing=0.3),
    "penalized": CrossEntropy(confidence_penalty=0.5),
    "both": CrossEntropy(label_smoothing=0.3, confidence_penalty=0.5),
}
RELAXED = {
    f"{form}{'-detached' if detach else ''}-{upper}": RelaxLoss(
        level=1.0, upper=upper, form=form, detach=detach
    )
    for form in ("image", "tabular")
    for detach in (False, True)
    for upper in (1.0, 0.3)
} | {"from-1": RelaxLoss(level=1.0, upper=0.8, form="tabular", detach=True, first_epoch=1)}


@pytest.mark.parametrize("soft", [False, True], ids=["labels", "rows"])
@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_of_cross_entropy_is_that_of_autograd(name, soft):
    logits, labels, rows = case()
    targets = rows if soft else labels
    expected = autograd(LOSSES[name], logits, targets, 0)
    torch.testing.assert_close(LOSSES[name].logit_gradient(logits, targets), expected)


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("name", RELAXED)
def test_the_gradient_of_relax_loss_is_that_of_autograd(name, spread, epoch):
    logits, labels, _ = case(spread)
    expected = autograd(RELAXED[name], logits, labels, epoch)
    torch.testing.assert_close(RELAXED[name].logit_gradient(logits, labels, epoch), expected)


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("name", RELAXED)
def test_each_model_of_a_stack_has_its_own_mean_and_padding_counts_for_nothing(name, epoch):
    loss, sizes = RELAXED[name], (7, 4)
    parts = [
        case(spread, size, seed) for seed, (size, spread) in enumerate(zip(sizes, (0.1, 4.0), strict=True))
    ]
    logits = torch.full((2, 7, CLASSES), 3.0, dtype=torch.float64)
    labels, shares = torch.zeros(2, 7, dtype=torch.int64), torch.zeros(2, 7, dtype=torch.float64)
    for row, ((some, label, _), size) in enumerate(zip(parts, sizes, strict=True)):
        logits[row, :size], labels[row, :size], shares[row, :size] = some, label, 1 / size
    found = loss.logit_gradient(logits, labels, epoch, shares)
    for row, ((some, label, _), size) in enumerate(zip(parts, sizes, strict=True)):
        torch.testing.assert_close(found[row, :size], loss.logit_gradient(some, label, epoch))


def relaxed_by_hand(loss, logits, labels, epoch):
    """The batch loss in plain numbers, one sample after the other."""
    plain, flat = [], []
    for row, label in zip(logits.numpy(), labels.tolist(), strict=True):
        p = np.exp(row - row.max())
        p /= p.sum()
        target = np.full(CLASSES, (1 - min(p[label], loss.upper)) / (CLASSES - 1))
        target[label] = min(p[label], loss.upper)
        soft, hard = -(target * np.log(p)).sum(), -math.log(p[label])
        plain.append(hard)
        flat.append((soft if p.argmax() != label else 0.0) - hard if loss.form == "image" else soft)
    mean = sum(plain) / len(plain)
    if (epoch + loss.first_epoch) % 2 == 0:
        return abs(mean - loss.level)
    return mean if mean > loss.level else sum(flat) / len(flat)


@pytest.mark.parametrize("epoch", [0, 1, 2, 5])
@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("name", RELAXED)
def test_relax_loss_is_its_definition(name, spread, epoch):
    logits, labels, _ = case(spread)
    found = RELAXED[name](logits, labels, epoch).mean()
    assert float(found) == pytest.approx(relaxed_by_hand(RELAXED[name], logits, labels, epoch))


def test_below_the_level_an_even_epoch_ascends_and_above_it_descends():
    logits, labels, _ = case()
    mean = float(functional.cross_entropy(logits, labels))
    plain = CrossEntropy().logit_gradient(logits, labels)
    low, high = (RelaxLoss(level=mean + step).logit_gradient(logits, labels, 0) for step in (-0.1, 0.1))
    torch.testing.assert_close(low, plain)
    torch.testing.assert_close(high, -plain)


def test_a_level_of_zero_is_cross_entropy():
    logits, labels, _ = case()
    for epoch in (0, 1):
        found = RelaxLoss(level=0.0)(logits, labels, epoch)
        torch.testing.assert_close(found, functional.cross_entropy(logits, labels, reduction="none"))


def test_counted_from_one_odd_and_even_change_places():
    logits, labels, _ = case(4.0)
    usual, other = (RelaxLoss(level=9.0, form="tabular", first_epoch=first) for first in (0, 1))
    for epoch in range(4):
        torch.testing.assert_close(other(logits, labels, epoch), usual(logits, labels, epoch + 1))
    assert not torch.allclose(other(logits, labels, 0), usual(logits, labels, 0))


def test_one_hot_rows_are_labels():
    logits, labels, _ = case()
    rows = functional.one_hot(labels, CLASSES).to(logits.dtype)
    for loss in LOSSES.values():
        torch.testing.assert_close(loss(logits, rows), loss(logits, labels))
        torch.testing.assert_close(loss.logit_gradient(logits, rows), loss.logit_gradient(logits, labels))


def test_smoothing_of_rows_smooths_the_rows():
    logits, _, rows = case()
    smooth = 0.7 * rows + 0.3 / CLASSES
    torch.testing.assert_close(smooth.sum(-1), torch.ones(len(rows), dtype=torch.float64))
    torch.testing.assert_close(LOSSES["smoothed"](logits, rows), -(smooth * logits.log_softmax(-1)).sum(-1))


def test_the_penalty_takes_off_the_entropy():
    logits, labels, _ = case()
    p = logits.softmax(-1)
    entropy = -(p * p.log()).sum(-1)
    plain = functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(LOSSES["penalized"](logits, labels), plain - 0.5 * entropy)
    certain = torch.tensor([[800.0, 0.0, -800.0]])
    assert LOSSES["penalized"].logit_gradient(certain, torch.tensor([0])).isfinite().all()


def test_a_plain_loss_keeps_its_content_hash():
    assert plain(CrossEntropy(label_smoothing=0.2)) == {"type": "CrossEntropy", "label_smoothing": 0.2}
    assert content_hash(LOSSES["both"]) != content_hash(LOSSES["smoothed"])


def test_relax_loss_keeps_its_content_hash():
    known = {"type": "RelaxLoss", "level": 0.5, "upper": 1.0, "form": "image", "detach": False}
    assert plain(RelaxLoss(level=0.5)) == known
    assert content_hash(RelaxLoss(level=0.5)) != content_hash(RelaxLoss(level=0.5, first_epoch=1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CrossEntropy(confidence_penalty=-0.1), "confidence_penalty=-0.1"),
        (lambda: RelaxLoss(level=-1.0), "level=-1.0"),
        (lambda: RelaxLoss(level=1.0, upper=1.5), "upper=1.5"),
        (lambda: RelaxLoss(level=1.0, form="picture"), "one of image, tabular"),
        (lambda: RelaxLoss(level=1.0, first_epoch=2), "first_epoch=2 must lie between 0 and 1"),
    ],
)
def test_bad_options_are_named(make, message):
    with pytest.raises(InputError, match=message):
        make()
