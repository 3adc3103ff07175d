import dataclasses

import numpy as np
import pytest
import synthetic_audit

from vestige.report.explorer import LISTED, LOSS_STEP, NONE, SCRIPTS, data, explorer, script
from vestige.report.packing import unpack
from vestige.report.plane_table import MOST_CELLS, cell_table
from vestige.risk.exposure import exposure
from vestige.risk.plane import Plane


@pytest.fixture(scope="module")
def found(material, make_audit):
    return make_audit(material).exposure


@pytest.fixture(scope="module")
def unpacked(found, arrays):
    return unpack(data(found, arrays, arrays.plane))


def wide(samples, seed=0):
    """A plane of so many samples, each scored by its own number of models, most of them at rest."""
    rng = np.random.default_rng(seed)
    n_in = rng.binomial(64, 0.5, samples).astype(np.int32)
    moving = rng.random(samples) < 0.2
    grown = np.linspace(0, 1, 12)[:, None]
    hits_in = (n_in * moving * grown * rng.random(samples)).astype(np.int32)
    hits_out = (0.1 * hits_in).astype(np.int32)
    trials = np.tile(n_in, (12, 1))
    epochs = np.arange(12, dtype=float)
    return Plane(hits_in=hits_in, hits_out=hits_out, n_in=trials, n_out=64 - trials, epochs=epochs)


def test_the_packed_counts_and_regions_are_the_planes(arrays, unpacked):
    header, packed = unpacked
    plane, shape = arrays.plane, arrays.plane.hits_in.shape
    for name in ("hits_in", "hits_out"):
        steps = packed[name].reshape(shape)
        counts = np.cumsum(steps, 0, dtype=np.int64) % (np.iinfo(steps.dtype).max + 1)
        assert np.array_equal(counts, getattr(plane, name))
    assert np.array_equal(packed["n_in"], plane.n_in[0])  # the same at every checkpoint, so kept once
    assert np.array_equal(packed["region_codes"].reshape(shape), plane.regions)
    assert np.array_equal(packed["since"], plane.first_exposed)
    assert np.array_equal(packed["ids"], arrays.ids)
    assert np.array_equal(packed["labels"], arrays.labels)
    assert header["epochs"] == plane.epochs.tolist()
    assert [r["name"] for r in header["regions"]] == list(plane.partition.shown)
    assert [r["vulnerable"] for r in header["regions"]] == [False, False, False, True, False]


def test_trials_that_change_are_kept_for_every_checkpoint(found, arrays):
    n_in = arrays.plane.n_in.copy()
    n_in[0, 0] -= 1
    changed = dataclasses.replace(arrays.plane, n_in=n_in)
    packed = unpack(data(found, arrays, changed))[1]
    assert np.array_equal(packed["n_in"], n_in.ravel())


def test_difficulty_keeps_its_value_and_its_rank(arrays, unpacked):
    packed = unpacked[1]
    assert np.abs(packed["loss"] / LOSS_STEP - arrays.difficulty).max() <= 0.5 / LOSS_STEP
    easier = (arrays.difficulty[:, None] > arrays.difficulty).mean(1)
    assert np.abs(packed["harder"] - 100 * easier).max() < 1
    unknown = arrays.difficulty.copy()
    unknown[3] = np.nan
    some = dataclasses.replace(arrays, difficulty=unknown)
    assert unpack(data(synthetic_exposure(arrays), some, arrays.plane))[1]["loss"][3] == NONE


def synthetic_exposure(arrays):
    return exposure(arrays.plane, arrays.ids, arrays.labels, attack="made up")


def test_the_list_begins_with_the_records_of_the_table(arrays, found, unpacked):
    first = arrays.ids[unpacked[1]["exposed"]]
    named = [record.sample for record in found.records]
    assert first[: len(named)].tolist() == named
    assert len(first) == len(set(first.tolist())) == LISTED
    assert unpacked[1]["pictured"][: len(named)].tolist() == unpacked[1]["exposed"][: len(named)].tolist()


def test_what_is_not_on_record_is_left_out(found, arrays):
    bare = dataclasses.replace(arrays, labels=None, difficulty=None, inputs=None)
    header, packed = unpack(data(found, bare, arrays.plane))
    assert header["classes"] == []
    assert header["picture"] is None
    assert not {"labels", "loss", "harder", "pictured"} & set(packed)


def test_classes_may_have_any_numbers(found, arrays):
    labels = np.where(arrays.labels == 3, -1, arrays.labels * 10**9)
    far = dataclasses.replace(arrays, labels=labels, class_names=())
    header, packed = unpack(data(found, far, arrays.plane))
    known = np.unique(far.labels[far.labels >= 0])
    assert [one["name"] for one in header["classes"]] == [str(c) for c in known]
    assert np.array_equal(packed["labels"] == NONE, far.labels < 0)
    assert np.array_equal(known[packed["labels"][far.labels >= 0]], far.labels[far.labels >= 0])


def test_names_from_outside_stay_inside_the_packed_data(found, arrays):
    named = dataclasses.replace(arrays, class_names=("</script><b>",) * 10)
    assert "<b>" not in explorer(found, named, arrays.plane).split('id="explorer-data"')[1]


def test_fifty_thousand_records_stay_small(arrays):
    plane = wide(50_000)
    pixels = np.random.default_rng(0).integers(0, 255, (50_000, 1, 16, 16), np.uint8)
    ids = np.arange(50_000)
    many = dataclasses.replace(
        arrays, plane=plane, ids=ids, labels=ids % 10, difficulty=ids / 1e4, inputs=pixels
    )
    assert len(explorer(synthetic_exposure(many), many, plane)) < 3e6


def test_cells_are_merged_where_there_are_too_many(arrays):
    plane = wide(9000)
    exact = {
        (int(a), int(b), int(n))
        for a, b, n in zip(plane.hits_in[-1], plane.hits_out[-1], plane.n_in[-1], strict=True)
    }
    rows = [row for row in cell_table(plane).rows if row[0] == 11.0]
    assert sum(row[3] for row in rows) == 9000
    assert len(rows) <= max(MOST_CELLS, 51**2)
    assert len(exact) >= len(rows)
    for epoch in synthetic_audit.EPOCHS:
        assert sum(row[3] for row in cell_table(arrays.plane).rows if row[0] == epoch) == len(arrays.ids)


def test_the_script_has_a_scope_of_its_own_and_asks_nothing():
    source = script()
    assert source.startswith("(() => {")
    assert source.endswith("})();")
    assert len(SCRIPTS) == len(set(SCRIPTS))
    for word in ("fetch(", "XMLHttpRequest", "http://", "https://", "import(", "eval("):
        assert word not in source.replace("http://www.w3.org", "")
