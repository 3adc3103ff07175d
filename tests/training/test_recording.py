"""Signals on their way to disk: the same values as in memory, and memory that does not grow."""

import dataclasses
import gc
import tracemalloc

import numpy as np
import pytest
import torch

from vestige.data.dataset import Dataset
from vestige.data.transforms import Identity
from vestige.models.catalog import ModelSpec
from vestige.signals.measure import Observation
from vestige.training import engines, sequential, stacked
from vestige.training.engine import Job, Material, Recording
from vestige.training.recipe import Recipe

EPOCHS, SAMPLES = 40, 5_000
ROW_BYTES = 3 * SAMPLES * (4 + 1)  # of one checkpoint: three models, a float and a byte for each sample
every_engine = pytest.mark.parametrize("train", engines.ENGINES.values(), ids=engines.ENGINES)


def material(samples):
    inputs = np.random.default_rng(0).normal(size=(samples, 3)).astype(np.float32)
    return Material.of(Dataset(inputs, np.arange(samples) % 3, 3, "toy"), torch.device("cpu"))


def silent(_):
    return None


def job(scratch):
    return Job((3, 4, 5), (np.arange(8), np.arange(4, 14), np.arange(8)), 0, scratch)


@every_engine
def test_signals_on_disk_are_those_in_memory(train, tmp_path):
    recipe = Recipe(model=ModelSpec("mlp-4"), epochs=3, batch_size=4)
    observation = Observation(checkpoints=(0, 1, 3, 9), queries=(Identity(), Identity()))
    ours, theirs = (
        train(recipe, material(30), job(where), observation, silent) for where in (tmp_path, None)
    )
    for one, other in zip(ours, theirs, strict=True):
        assert one.signals.keys() == other.signals.keys()
        for name, value in other.signals.items():
            assert isinstance(one.signals[name], np.memmap)
            assert not isinstance(value, np.memmap)
            assert value.shape == (3, 30, 2)
            assert one.signals[name].dtype == value.dtype
            assert (one.signals[name] == value).all()
    assert len(list(tmp_path.iterdir())) >= 2


def peak(train, checkpoints, scratch):
    """The most bytes that numpy and Python hold at once while three models train."""
    recipe = Recipe(model=ModelSpec("mlp-4"), epochs=EPOCHS)
    epochs = tuple(int(e) for e in np.linspace(0, EPOCHS, checkpoints).round())
    data = material(SAMPLES)
    gc.collect()
    tracemalloc.start()
    try:
        train(recipe, data, job(scratch), Observation(checkpoints=epochs), silent)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("train", [stacked.train, sequential.train], ids=["stacked", "sequential"])
def test_memory_does_not_grow_with_checkpoints(train, tmp_path):
    (tmp_path / "warm").mkdir()
    peak(train, 2, tmp_path / "warm")  # modules that are imported on first use
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    growth = peak(train, 40, many) - peak(train, 4, few)
    assert growth < 0.1 * (40 - 4) * ROW_BYTES


def test_the_measurement_of_memory_can_fail():
    growth = peak(stacked.train, 40, None) - peak(stacked.train, 4, None)
    assert growth > 0.9 * (40 - 4) * ROW_BYTES


def test_rows_stand_in_the_order_in_which_they_came(tmp_path):
    recording = Recording(3, tmp_path, 7)
    rows = [np.full((2, 5), step, np.float32) for step in range(3)]
    for row in rows:
        recording.add([{"scaled_logit": row, "correct": row.astype(np.uint8)}])
    values = recording.values(1)
    assert values["scaled_logit"].shape == (3, 5, 1)
    assert values["scaled_logit"][:, 0, 0].tolist() == [0, 1, 2]
    assert values["correct"].dtype == np.uint8


def test_a_full_disk_is_an_error_before_training(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    recipe = Recipe(model=ModelSpec("mlp-4"), epochs=1)
    with pytest.raises(OSError, match="No space left"):
        stacked.train(
            recipe, material(9), dataclasses.replace(job(tmp_path), members=(np.arange(4),) * 3),
            Observation(checkpoints=(0, 1)), silent,
        )  # fmt: skip
