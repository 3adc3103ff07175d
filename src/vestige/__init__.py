"""Vestige finds out what a trained neural network still remembers of the people in its training data.

    import vestige

    found = vestige.audit("digits")                      # train, attack, place on the plane, report
    scores = vestige.score(values, membership)           # attack signals that you have already
    vestige.roc(scores[0], membership[0]).tpr_at(0.01)   # the ROC of one target
"""

from vestige.attacks.score import score
from vestige.attacks.scores import Scores
from vestige.audits.audit import audit
from vestige.audits.outcome import Audit
from vestige.core.errors import InputError, RunFolderError, ValidityError, VestigeError
from vestige.data.dataset import Dataset
from vestige.data.membership import Membership
from vestige.models.catalog import ModelSpec
from vestige.stats.roc import Roc, roc
from vestige.training.recipe import Recipe

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "Dataset",
    "InputError",
    "Membership",
    "ModelSpec",
    "Recipe",
    "Roc",
    "RunFolderError",
    "Scores",
    "ValidityError",
    "VestigeError",
    "audit",
    "roc",
    "score",
]
