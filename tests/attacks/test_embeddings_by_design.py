"""Whose embeddings may serve: in the balanced design none of the models', for each is left out somewhere."""

import numpy as np
import pytest
from populations import coins, signals

from vestige.attacks.joint import Joint
from vestige.attacks.score import score
from vestige.core.errors import InputError

SAMPLES = 60
IMAGES = np.random.default_rng(0).normal(size=(SAMPLES, 3, 4, 4))
LABELS = np.arange(SAMPLES) % 3
ATTACK = Joint(kernel="embeddings", landmarks=20)


def made(models):
    return {model: np.random.default_rng(model).normal(size=(SAMPLES, 5)) for model in range(models)}


@pytest.mark.parametrize(("design", "kernel"), [("balanced", "inputs"), ("paired", "embeddings")])
def test_vestige_takes_the_kernel_that_the_design_allows(design, kernel):
    drawn = coins(design, 12, SAMPLES)
    given = {"labels": LABELS, "features": IMAGES, "embeddings": made(12), "targets": [0]}
    found = score(signals(drawn, leak=2.0), drawn, "vestige", **given)
    assert f"kernel on {kernel}" in found.description
    assert np.isfinite(found.values).all()


def test_the_embeddings_of_a_model_outside_serve_in_every_design():
    drawn = coins("balanced", 12, SAMPLES)
    given = {"labels": LABELS, "features": IMAGES, "embeddings": made(1)[0], "targets": [0]}
    found = score(signals(drawn, leak=2.0), drawn, "vestige", **given)
    assert "kernel on embeddings" in found.description


def test_asking_for_those_of_a_models_own_is_refused_with_what_to_give():
    drawn = coins("balanced", 12, SAMPLES)
    with pytest.raises(
        InputError, match=r"of other models or of one outside these, or use joint with features"
    ):
        score(signals(drawn, leak=2.0), drawn, ATTACK, labels=LABELS, embeddings=made(12))
