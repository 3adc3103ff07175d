"""PPTP as it is written, what it makes of a recipe, and that it does what it is for."""

import numpy as np
import pytest

from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.core.errors import InputError
from vestige.core.record import content_hash
from vestige.defenses.conflict import DefenseConflict
from vestige.defenses.label_smoothing import LabelSmoothing
from vestige.defenses.pptp import PPTP
from vestige.defenses.writing import from_text
from vestige.models.catalog import ModelSpec
from vestige.population.fit import fit
from vestige.signals.source import read
from vestige.stats.roc import roc
from vestige.training.losses import CrossEntropy
from vestige.training.recipe import Recipe

RECIPE = Recipe(model=ModelSpec("mlp-9-8"), epochs=7)
SMOOTH = CrossEntropy(label_smoothing=0.3)


def of(text, recipe=RECIPE):
    return from_text(text)(recipe)


def test_words_and_defenses_are_read():
    routing = of("pptp:label_smoothing:0.3/protect=layer2..:layer1/strength=0.5").routing
    assert (routing.loss, routing.strength) == (SMOOTH, 0.5)
    assert routing.protected.words == ("layer2..", "layer1")
    inner = from_text("pptp:relax_loss:level=0.4;upper=0.9/protect=head").defenses[0].defense
    assert (inner.level, inner.upper) == (0.4, 0.9)
    assert of("pptp:label_smoothing:0.3").routing.protected.words == ("auto",)
    assert of("pptp:defense=label_smoothing:0.3/protect=head") == of("pptp:label_smoothing:0.3/protect=head")


def test_all_is_the_defense_and_none_is_no_defense():
    assert of("pptp:label_smoothing:0.3/protect=all") == of("label_smoothing:0.3")
    assert of("pptp:label_smoothing:0.3/protect=none") == RECIPE
    assert of("pptp:label_smoothing:0.3/protect=head/strength=0") == RECIPE
    assert PPTP(defense=LabelSmoothing(amount=0.3), protect=[])(RECIPE) == RECIPE
    private = "dp_sgd:noise=1/delta=1e-5"
    assert of("pptp:dp_sgd:noise=1;delta=1e-5/protect=all") == of(private)


def test_protected_regions_may_have_a_learning_rate_and_a_beginning_of_their_own():
    routing = of("pptp:label_smoothing:0.3/protect=head/rate=0.3/after=0.3").routing
    assert (routing.rate, routing.first_epoch) == (0.3, 2)  # of 7 epochs
    everywhere = of("pptp:label_smoothing:0.3/protect=all/rate=0.3").routing
    assert everywhere.rate == 0.3
    only_slower = of("pptp:label_smoothing:0.3/protect=head/strength=0/rate=0.3").routing
    assert (only_slower.strength, only_slower.rate) == (0, 0.3)
    plain = of("pptp:label_smoothing:0.3/protect=head")
    assert content_hash(plain) == content_hash(of("pptp:label_smoothing:0.3/protect=head/rate=1/after=0"))


def test_two_phases_cost_half_of_the_training_again():
    found = of("pptp:label_smoothing:0.3/protect=head/phase=two_phase")
    assert (found.epochs, found.retraining.epochs, found.retraining.loss) == (10, 3, SMOOTH)
    assert found.loss == CrossEntropy()


def test_it_goes_with_defenses_of_other_parts():
    found = of("pptp:label_smoothing:0.3/protect=head+weight_decay:0.001+random_crop:1")
    assert found.routing.loss == SMOOTH
    assert found.optimizer.weight_decay == 0.001


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("pptp:mixup:1/protect=head", InputError, "pptp cannot limit mixup to regions: it changes mixing"),
        ("pptp:weight_decay:0.1/protect=head", InputError, "it changes optimizer"),
        ("pptp:lable_smoothing:0.3", InputError, "did you mean label_smoothing"),
        ("pptp:label_smoothing:0.3/phase=both", InputError, "pptp phase='both' must be one of"),
        ("pptp:label_smoothing:0.3/strength=2", InputError, "strength=2"),
        ("pptp:label_smoothing:0.3/protect=head/rate=0", InputError, "pptp rate=0"),
        ("pptp:label_smoothing:0.3/protect=head/after=1", InputError, "pptp after=1"),
        ("pptp:label_smoothing:0.3/protect=head/rate=2/phase=two_phase", InputError, "rate=2"),
        ("pptp:label_smoothing:0.3/protect=head/after=0.5/phase=two_phase", InputError, "after=0.5"),
        ("pptp:dp_sgd:noise=1;delta=1e-5/protect=head/rate=2", InputError, "full strength only"),
        ("pptp:dp_sgd:noise=1;delta=1e-5/protect=head/phase=two_phase", InputError, "full strength only"),
        (
            "pptp:label_smoothing:0.3/protect=head+relax_loss:0.5",
            DefenseConflict,
            "put that defense into pptp",
        ),
        (
            "pptp:label_smoothing:0.3/protect=head+dp_sgd:noise=1/delta=1e-5",
            DefenseConflict,
            "put dp_sgd into",
        ),
        ("pptp:label_smoothing:0.3+pptp:relax_loss:0.5", DefenseConflict, "keep one"),
        ("pptp", InputError, "defense is missing"),
    ],
)
def test_bad_input(text, error, message):
    with pytest.raises(error, match=message):
        of(text)


@pytest.mark.parametrize(
    ("defense", "model", "message"),
    [
        ("pptp:label_smoothing:0.3/protect=laier2", "mlp-9-8", "did you mean layer2"),
        ("pptp:label_smoothing:0.3/protect=head", "linear", "one region only"),
        ("pptp:label_smoothing:0.3", "mlp-9-8", "protect='auto' is chosen by"),
        ("pptp:label_smoothing:0.3/protect=body/phase=two_phase", "mlp-9-8", "protect='body' is not known"),
    ],
)
def test_regions_are_looked_for_before_training(defense, model, message, tmp_path):
    with pytest.raises(InputError, match=message):
        prepare(Options(dataset="digits", samples=100, model=model, models=4, defense=defense, out=tmp_path))
    assert not list(tmp_path.iterdir())


def losses(defense, folder):
    """Losses and coins of some models that overfit digits in noise."""
    options = Options(
        dataset="digits", samples=500, input_noise=0.4, model="mlp-64-64-64-relu", epochs=40, batch_size=32,
        models=4, checkpoints=2, defense=defense, out=folder, jobs=1,
    )  # fmt: skip
    prepared = prepare(options)
    signals = fit(prepared.plan, folder, 1).signals
    rows = np.stack([read(signals, "loss", model, -1).mean(1) for model in range(4)])
    return rows, prepared.plan.membership.mask


def test_smoothing_in_the_back_tells_attacks_less_than_smoothing_everywhere(tmp_path):
    aucs = {}
    for words in ("all", "back", "none"):
        rows, mask = losses(f"pptp:label_smoothing:0.3/protect={words}", tmp_path / words)
        aucs[words] = np.mean([roc(-row, coin).auc for row, coin in zip(rows, mask, strict=True)])
    assert aucs["none"] > 0.6  # there is something to tell
    assert aucs["back"] < aucs["all"] - 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "pptp:relax_loss:0.5/protect=head+pre_identification:0.1/action=smooth",
            "pre_identification and relax_loss cannot be combined",
        ),
        (
            "pptp:label_smoothing:0.3/protect=head+pre_identification:0.1/action=down_weight",
            "pre_identification and label_smoothing cannot be combined",
        ),
        ("cwrf:label_smoothing:0.3+early_stopping:4", "early_stopping would cut the first of two phases"),
        (
            "pptp:label_smoothing:0.3/protect=head/phase=two_phase+early_stopping:4",
            "early_stopping would cut the first of two phases",
        ),
        ("label_smoothing:0.1+pptp:relax_loss:0.5/protect=head", "pptp would displace loss"),
    ],
)
def test_what_would_break_in_training_is_refused_before(text, message):
    with pytest.raises(DefenseConflict, match=message):
        of(text)
