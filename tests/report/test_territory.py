import dataclasses

import numpy as np
import pytest

from vestige.report.colors import color_of
from vestige.report.territory import territory
from vestige.risk.plane import Plane
from vestige.risk.region import HIGH, NamedRegions, grid


def plane(trials, partition=None):
    n_in, n_out = (np.atleast_2d(t).astype(np.int32) for t in trials)
    hits = np.zeros(n_in.shape, np.int32)
    found = Plane(hits_in=hits, hits_out=hits, n_in=n_in, n_out=n_out, epochs=np.zeros(1))
    return found if partition is None else dataclasses.replace(found, partition=partition)


def centers(ground):
    side = len(ground.codes)
    return -ground.pad + (1 + 2 * ground.pad) * (np.arange(side) + 0.5) / side


def test_any_partition_is_drawn_where_it_lies():
    found = plane(([40, 41], [38, 40]), grid(5))
    ground = territory(found)
    fpr, tpr = np.meshgrid(*[np.clip(centers(ground), 0, 1)] * 2)
    assert np.array_equal(ground.codes, found.partition.of(fpr, tpr))
    for region, label in enumerate(ground.labels):
        box = found.partition.boxes[region]
        middle = [(low + high) / 2 for low, high in (box.fpr, box.tpr)]
        assert np.abs(np.array(label[:2]) - middle).max() < 0.05
        assert label[2] == pytest.approx(0.1, abs=0.04)


def test_with_few_models_a_dot_never_leaves_its_region():
    found = plane(([8, 8], [8, 8]))
    ground, at = territory(found), centers(territory(found))
    for hits_in in range(9):
        for hits_out in range(9):
            region = found.partition.of(np.array([hits_out / 8]), np.array([hits_in / 8]))[0]
            rows = np.abs(at - hits_in / 8) < 0.46 / 8
            columns = np.abs(at - hits_out / 8) < 0.46 / 8
            assert np.all(ground.codes[np.ix_(rows, columns)] == region)


def test_the_margin_holds_the_outermost_dots():
    ground = territory(plane(([10, 4, 0], [20, 20, 20])))
    assert ground.pad >= 0.46 / 4
    assert territory(plane(([0], [0]))).pad > 0


def test_a_region_that_is_nowhere_has_no_label():
    nowhere = NamedRegions(high_tpr=1.0, high_fpr=0.0, emerging=1.0)
    labels = territory(plane(([40, 41], [38, 40]), nowhere)).labels
    assert labels[HIGH] is not None
    assert labels[0] is not None
    assert sum(label is None for label in labels) >= 1


def test_vulnerable_regions_of_any_partition_are_red():
    parts = grid(4)
    colors = [color_of(parts, region) for region in range(16)]
    assert {c for r, c in enumerate(colors) if r in parts.vulnerable} == {"High"}
    assert "High" not in {c for r, c in enumerate(colors) if r not in parts.vulnerable}
    assert color_of(NamedRegions(), 0) == "Safe"
