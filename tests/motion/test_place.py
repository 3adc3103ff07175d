import numpy as np
import pytest

from vestige.core.errors import InputError
from vestige.motion.place import place
from vestige.risk.operating_point import LikelihoodRatio
from vestige.risk.region import grid


def arrays(models=16, samples=400, checkpoints=3, leak=2.0, seed=0):
    rng = np.random.default_rng(seed)
    membership = rng.permuted(np.arange(models)[:, None] % 2 == np.zeros((1, samples)), axis=0)
    growth = np.linspace(0, leak, checkpoints)[None, :, None]
    return rng.standard_normal((models, checkpoints, samples)) + growth * membership[:, None], membership


def test_ready_made_signals_are_placed_and_followed():
    values, membership = arrays()
    found = place(values, membership, epochs=[0, 5, 20])
    assert found.plane.epochs.tolist() == [0, 5, 20]
    assert found.plane.advantage[-1].mean() > 0.05 > abs(found.plane.advantage[0].mean())
    assert found.dynamics.figure("displacement").estimate.value > 0.05
    assert found.dynamics.notes[0].startswith("Hardness and exposure were not compared")


def test_without_a_leak_all_stay_where_they_are():
    values, membership = arrays(models=32, leak=0.0)
    advantage = place(values, membership).plane.advantage.mean(1)
    assert np.abs(advantage).max() < 0.01


def test_one_checkpoint_has_a_plane_only():
    values, membership = arrays()
    found = place(values[:, -1], membership, "student-t", operating_point="lr>0", regions="grid:4")
    assert found.dynamics is None
    assert found.plane.point == LikelihoodRatio()
    assert found.plane.partition == grid(4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": [0, 1]}, "3 checkpoints, increasing"),
        ({"epochs": [0, 2, 1]}, "increasing"),
        ({"attack": "rmia-online", "operating_point": "lr>0"}, "rmia-online are not"),
        ({"operating_point": "half"}, "best-accuracy"),
        ({"regions": "grid:x"}, "grid:10"),
        ({"regions": "five"}, "named"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    values, membership = arrays()
    with pytest.raises(InputError, match=message):
        place(values, membership, **changes)


def test_too_few_models_are_refused():
    values, membership = arrays(models=2)
    with pytest.raises(InputError, match="reference"):
        place(values, membership)


def test_attacks_that_need_the_samples_are_told_of_them():
    values, membership = arrays(models=12, samples=120)
    known = {"labels": np.arange(120) % 3, "features": np.random.default_rng(0).normal(size=(120, 4))}
    found = place(values, membership, "joint", **known)
    assert found.plane.advantage[-1].mean() > 0.05
    with pytest.raises(InputError, match="features"):
        place(values, membership, "joint", labels=known["labels"])
