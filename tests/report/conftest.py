import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[1] / "risk"))

import synthetic_audit
from browsed import PATIENCE_S

from vestige.report.arrays import AccuracyCurve, ReportArrays
from vestige.risk.curve import roc_curve
from vestige.risk.dynamics import Association, Bin, Curve, Dynamics, Figure
from vestige.risk.estimate import Estimate

CURVES = {
    "speed": "plane units per epoch",
    "signed_speed": "per epoch",
    "displacement": "plane units",
    "hazard_per_epoch": "per epoch",
    "entropy": "bits",
    "recall": "",
    "precision": "",
    "surprise": "bits",  # a curve that the report has never heard of
}


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
        "difficulty": rng.gamma(1.0, 1.0, len(found.ids)),
        "inputs": rng.random((len(found.ids), 1, 8, 8), np.float32),
    }
    mask, clusters = found.membership.mask, found.membership.clusters()
    curves = tuple(roc_curve(v, mask, clusters, attack=name) for name, v in found.scores.items())
    return ReportArrays(curves=curves, ids=found.ids, **({"plane": None, "labels": None} | given | changes))


def estimate(value):
    return Estimate(value=value, low=value * 0.9, high=value * 1.1, method="made up")


def curve(name, unit, epochs):
    estimates = (Estimate(value=None, note="not yet"), *(estimate(0.1 * i) for i in range(1, len(epochs))))
    return Curve(
        name=name,
        title=f"Title of {name}",
        unit=unit,
        definition=f"definition of {name}",
        epochs=epochs,
        estimates=estimates,
    )


def association(measure, outcome, rho):
    return Association(
        measure=measure,
        measure_title=f"Measure {measure}",
        outcome=outcome,
        outcome_title=outcome.replace("_", " "),
        definition="how it is measured",
        rank_correlation=Estimate(value=rho, low=rho - 0.05, high=rho + 0.05, method="made up"),
        bins=tuple(Bin(hardness=i / 10, outcome=0.1 * i * rho, samples=60) for i in range(10)),
    )


def dynamics_of(epochs, **changes):
    figures = {"half_time": "epochs", "known_70": "epochs", "displacement": "plane units"}
    given = {
        "figures": tuple(
            Figure(
                name=name,
                title=f"Figure {name}",
                unit=unit,
                definition=f"definition of {name}",
                estimate=estimate(5.0),
            )
            for name, unit in figures.items()
        ),
        "curves": tuple(curve(name, unit, epochs) for name, unit in CURVES.items()),
        "associations": (
            association("epoch_learned", "final_advantage", 0.5),
            association("memorization", "final_advantage", 0.7),
            association("epoch_learned", "entry_epoch", -0.3),
        ),
        "notes": ("A note to the reader.",),
    }
    return Dynamics(
        attack="lira-online-fixed",
        named="at a population error rate of 1 %",
        models=32,
        clusters=16,
        replicates=100,
        regions=("Low", "Ambiguous", "Emerging", "High", "Inverted"),
        transitions=(),
        **(given | changes),
    )


@pytest.fixture(scope="session")
def make_dynamics():
    return lambda **changes: dynamics_of(tuple(float(e) for e in synthetic_audit.EPOCHS), **changes)


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


@pytest.fixture(scope="module")
def browser():
    """Chromium, or a skip where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = os.environ.get("VESTIGE_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium; install it or set VESTIGE_CHROMIUM to its path")
    with sync_api.sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"], timeout=1000 * PATIENCE_S
        )
        yield found
        found.close()
