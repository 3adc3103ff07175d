"""Vestige finds out what a trained neural network still remembers of the people in its training data.

import vestige

found = vestige.audit("digits")                      # train, attack, place on the plane, report
vestige.compare("digits", ["dropout:0.5"])           # what defenses protect, and at what price
vestige.dynamics("digits", vary={"optimizer": ["sgd", "sam"]})  # how records move under varied conditions
scores = vestige.score(values, membership)           # attack signals that you have already
placed = vestige.place(values, membership)           # their plane, and how records move on it
vestige.explain("vestige-runs/digits")               # whom its models give away, and what sets them apart
vestige.localize("digits", label_noise=0.2)           # where in the network risk and generalization live
vestige.leakage_of("vestige-runs/digits")            # what a run tells in nats, between bounds
vestige.leakage.ridge(X, y, 0.01, vestige.leakage.GaussianOutput(sigma=0.1))  # exact, record by record
tracker = vestige.Tracker(dataset, folder="runs/a")  # record your own training run, in your own loop
vestige.roc(scores[0], membership[0]).tpr_at(0.01)   # the ROC of one target
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vestige import leakage
    from vestige.attacks.score import score
    from vestige.attacks.scores import Scores
    from vestige.audits.audit import audit
    from vestige.audits.information import leakage_of
    from vestige.audits.outcome import Audit
    from vestige.core.errors import InputError, RunFolderError, ValidityError, VestigeError
    from vestige.data.dataset import Dataset
    from vestige.data.membership import Membership
    from vestige.designs.compare import compare
    from vestige.designs.comparison import Comparison
    from vestige.designs.leakage_sweep import LeakageSweep, leakage_sweep
    from vestige.designs.protection import Protection
    from vestige.designs.run import dynamics
    from vestige.explanations.explain import explain
    from vestige.explanations.explanation import Explanation
    from vestige.localization.localization import Localization
    from vestige.localization.localize import localize
    from vestige.models.catalog import ModelSpec
    from vestige.motion.place import Placed, place
    from vestige.stats.roc import Roc, roc
    from vestige.tracking.tracker import Tracker
    from vestige.training.recipe import Recipe

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "Comparison",
    "Dataset",
    "Explanation",
    "InputError",
    "LeakageSweep",
    "Localization",
    "Membership",
    "ModelSpec",
    "Placed",
    "Protection",
    "Recipe",
    "Roc",
    "RunFolderError",
    "Scores",
    "Tracker",
    "ValidityError",
    "VestigeError",
    "audit",
    "compare",
    "dynamics",
    "explain",
    "leakage",
    "leakage_of",
    "leakage_sweep",
    "localize",
    "place",
    "roc",
    "score",
]

# Loaded when first asked for: torch takes seconds, and `vestige --help` or a ROC has no use for it.
_HOMES = {
    "Audit": "audits.outcome",
    "Comparison": "designs.comparison",
    "Dataset": "data.dataset",
    "Explanation": "explanations.explanation",
    "InputError": "core.errors",
    "LeakageSweep": "designs.leakage_sweep",
    "Localization": "localization.localization",
    "Membership": "data.membership",
    "ModelSpec": "models.catalog",
    "Placed": "motion.place",
    "Protection": "designs.protection",
    "Recipe": "training.recipe",
    "Roc": "stats.roc",
    "RunFolderError": "core.errors",
    "Scores": "attacks.scores",
    "Tracker": "tracking.tracker",
    "ValidityError": "core.errors",
    "VestigeError": "core.errors",
    "audit": "audits.audit",
    "compare": "designs.compare",
    "dynamics": "designs.run",
    "explain": "explanations.explain",
    "leakage_of": "audits.information",
    "leakage_sweep": "designs.leakage_sweep",
    "localize": "localization.localize",
    "place": "motion.place",
    "roc": "stats.roc",
    "score": "attacks.score",
}


def __getattr__(name: str) -> Any:
    if name == "leakage":
        return import_module("vestige.leakage")
    if name not in _HOMES:
        raise AttributeError(f"module 'vestige' has no attribute {name!r}")
    return getattr(import_module(f"vestige.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
