"""The attacker who knows that regions learned from a loss of their own."""

import numpy as np
import pytest
import torch

from vestige.audits.adaptive import adapted, is_adaptable
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.population.fit import fit
from vestige.training.engine import Material
from vestige.training.reopened import reopened

SMALL = {"dataset": "digits", "samples": 120, "models": 4, "epochs": 4, "model": "mlp-16-8", "jobs": 1}
ROUTED = "pptp:label_smoothing:0.4/protect=back"


def trained(folder, **options):
    plan = prepare(Options(**SMALL, attack=("loss",), checkpoints=2, **options)).plan
    return plan, fit(plan, folder, jobs=1)


@pytest.mark.parametrize("defense", [ROUTED, f"{ROUTED}/phase=two_phase"])
def test_the_loss_of_the_protected_regions_is_looked_at(tmp_path, defense):
    plan, found = trained(tmp_path, defense=defense)
    assert is_adaptable(plan.recipe)
    material = Material.of(plan.dataset, torch.device("cpu"))
    with torch.no_grad():
        log_p = torch.log_softmax(
            reopened(plan.recipe, material, found.store.weights(2))(material.inputs), -1
        )
    expected = -(0.6 * log_p[torch.arange(120), material.targets] + 0.4 * log_p.mean(-1))
    observed = adapted(plan, found.store)
    assert np.allclose(observed.losses[2], expected.numpy(), atol=1e-5)
    assert np.array_equal(observed.statistic, -observed.losses)


def test_references_are_trained_as_the_target_is(tmp_path):
    """No model is that of the plain defense; each is the routed one, whichever engine trains it."""
    plan, found = trained(tmp_path / "ours", defense=ROUTED)
    smoothed, theirs = trained(tmp_path / "theirs", defense="label_smoothing:0.4")
    assert plan.recipe.routing is not None
    assert smoothed.recipe.routing is None
    _, repeated = trained(tmp_path / "again", defense=ROUTED, engine="sequential")
    for model in range(4):
        own, other, plain = (one.store.weights(model) for one in (found, repeated, theirs))
        assert all(torch.allclose(own[name], other[name], atol=1e-4) for name in own)
        assert not all(torch.allclose(own[name], plain[name], atol=1e-3) for name in own)
