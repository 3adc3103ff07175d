"""PPTP as it is written, what it makes of a recipe, and that it does what it is for."""

import json
from dataclasses import replace

import numpy as np
import pytest
from torch import nn

import vestige
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
        ("pptp:label_smoothing:0/protect=head", InputError, "label_smoothing as it is given changes nothing"),
        ("pptp:none/protect=head", InputError, "none within it protects nothing; name a defense, or drop"),
        (
            "pptp:label_smoothing:0.3/phase=two_phase/strength=0",
            InputError,
            "strength=0.0 belongs to phase=r",
        ),
        (
            "pptp:label_smoothing:0.3/phase=two_phase/protect=none/after=0.1",
            InputError,
            "after=0.1 belongs to phase=routed",
        ),
        ("pptp:dp_sgd:noise=1;delta=1e-5/protect=head/strength=0", InputError, "full strength only"),
        ("pptp:label_smoothing:0.3/regions=conf/r.json/protect=head", InputError, r"must be a \.toml file"),
        (
            "pptp:label_smoothing:0.3/protect=all+relax_loss:0.5",
            DefenseConflict,
            "relax_loss would displace the loss that pptp gives to some weights only; put that defense into",
        ),
    ],
)
def test_bad_input(text, error, message):
    with pytest.raises(error, match=message):
        of(text)


@pytest.mark.parametrize(
    "text",
    [
        "pptp:dp_sgd:noise=1/delta=1e-5/protect=head",
        "pptp:dp_sgd:1,1e-5/protect=head",
        "pptp:relax_loss:0.5/upper=0.9/protect=head",
        "pptp:relax_loss:0.5/0.9/protect=head",
    ],
)
def test_parameters_of_the_inner_defense_that_stand_apart_are_told_where_they_belong(text):
    name = text.split(":")[1]
    with pytest.raises(
        InputError, match=f"within another defense, parameters of {name} are separated by semi"
    ):
        of(text)


def test_a_message_about_the_inner_defense_alone_says_no_more():
    with pytest.raises(InputError, match=r"amount=1.5 must lie between 0.0 and 1.0$"):
        of("pptp:label_smoothing:1.5/protect=head")


def test_conflicts_are_told_without_the_fields_of_a_dataclass():
    for text in ("pptp:label_smoothing:0.3+relax_loss:0.5", "relax_loss:0.5+pptp:label_smoothing:0.3"):
        with pytest.raises(DefenseConflict) as caught:
            of(text)
        assert "(" not in str(caught.value)
    with pytest.raises(DefenseConflict, match="displace loss=CrossEntropy with label_smoothing="):
        of("pptp:label_smoothing:0.3", replace(RECIPE, loss=CrossEntropy(label_smoothing=0.1)))


def regions_file(folder, text='early = ["1"]\nlate = ["3", "5"]\n'):
    folder.mkdir(exist_ok=True)
    path = folder / "regions.toml"
    path.write_text(text)
    return path


def test_regions_of_ones_own_are_read_from_a_file_and_known_by_its_content(tmp_path):
    path, same = regions_file(tmp_path), regions_file(tmp_path / "other")
    text = "pptp:label_smoothing:0.3/regions={}/protect=late/strength=0.5"
    found = of(text.format(path))
    assert found.routing.protected.partition == (("early", ("1",)), ("late", ("3", "5")))
    assert found.routing.strength == 0.5
    assert content_hash(found) == content_hash(of(text.format(same)))
    own = {"early": "1", "late": ["3", "5"]}
    given = PPTP(defense=LabelSmoothing(amount=0.3), protect="late", strength=0.5, regions=own)
    assert content_hash(given(RECIPE)) == content_hash(found)
    regions_file(tmp_path, 'early = ["1", "3"]\nlate = ["5"]\n')
    assert content_hash(of(text.format(path))) != content_hash(found)


@pytest.mark.parametrize(
    ("words", "model", "message"),
    [
        ("none", "mlp-9-8-7", r"leave out 7\.weight"),
        ("all", "mlp-9-8-7", r"leave out 7\.weight"),
        ("lat", "mlp-9-8", "did you mean late"),
        ("lat/strength=0", "mlp-9-8", "did you mean late"),
        ("late/grain=block", "mlp-9-8", "leave it out beside regions"),
    ],
)
def test_regions_of_ones_own_are_held_against_the_model_before_training(words, model, message, tmp_path):
    defense = f"pptp:label_smoothing:0.3/regions={regions_file(tmp_path)}/protect={words}"
    with pytest.raises(InputError, match=message):
        prepare(Options(dataset="digits", samples=100, model=model, models=4, defense=defense))


def test_an_audit_takes_regions_of_ones_own(tmp_path):
    defense = f"pptp:label_smoothing:0.3/regions={regions_file(tmp_path)}/protect=late"
    options = {"dataset": "digits", "samples": 120, "model": "mlp-9-8", "models": 4, "epochs": 2, "jobs": 1}
    vestige.audit(**options, attack="loss", defense=defense, out=tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["recipe"]["routing"]["protected"]["partition"] == [["early", ["1"]], ["late", ["3", "5"]]]


def frozen_stem(shape, num_classes):
    module = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, num_classes))
    module[0].requires_grad_(False)
    return module


@pytest.mark.parametrize("inner", ["label_smoothing:0.3", "dp_sgd:1;1e-3"])
def test_what_does_not_learn_cannot_be_protected(inner):
    defense = f"pptp:{inner}/protect=layer1"
    model = f"{__name__}:frozen_stem"
    with pytest.raises(InputError, match="protect='layer1' protects no parameter that learns"):
        prepare(Options(dataset="digits", samples=100, model=model, models=4, defense=defense))


@pytest.mark.parametrize(
    ("defense", "model", "message"),
    [
        ("pptp:label_smoothing:0.3/protect=haed/strength=0", "mlp-9-8", "did you mean head"),
        ("pptp:label_smoothing:0.3/protect=auto/strength=0", "mlp-9-8", "protect='auto' is chosen by"),
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
