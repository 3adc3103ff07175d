import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "risk"))

import synthetic_audit

from vestige.report.arrays import AccuracyCurve, ReportArrays
from vestige.risk.curve import roc_curve


def arrays_of(found, **changes):
    rng = np.random.default_rng(0)
    grown = 1 - np.exp(-synthetic_audit.EPOCHS / 4)
    accuracy = tuple(
        AccuracyCurve(
            part=part, epochs=synthetic_audit.EPOCHS, values=grown * top + 0.01 * rng.random((8, 1))
        )
        for part, top in (("members", 0.98), ("non-members", 0.7))
    )
    given = {
        "labels": found.labels,
        "plane": found.plane,
        "class_names": found.class_names,
        "accuracy": accuracy,
    }
    mask, clusters = found.membership.mask, found.membership.clusters()
    curves = tuple(roc_curve(v, mask, clusters, attack=name) for name, v in found.scores.items())
    return ReportArrays(curves=curves, ids=found.ids, **({"plane": None, "labels": None} | given | changes))


@pytest.fixture(scope="session")
def material():
    return synthetic_audit.material(samples=600)


@pytest.fixture(scope="session")
def arrays(material):
    return arrays_of(material)


@pytest.fixture(scope="session")
def make_arrays():
    return arrays_of


@pytest.fixture(scope="session")
def make_audit():
    return synthetic_audit.audit
