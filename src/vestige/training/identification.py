"""Which members of a model would be given away, by what its proxies say of them."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor
from torch.nn import functional

from vestige.core.errors import InputError
from vestige.signals.confidence import Prediction, scaled_logit
from vestige.training import proxies
from vestige.training.engine import Job, Material, Progress
from vestige.training.proxies import Said
from vestige.training.recipe import Recipe
from vestige.training.treatment import NEIGHBORS

AT_ONCE = 256  # rows of the matrix of distances; 25,000 members fill 50 MB

Labels = Int64[Tensor, "members"]
Scores = Float64[np.ndarray, "members"]


@dataclass(frozen=True, eq=False)
class Identified:
    """One model's members: their scores, higher = more exposed, and which are flagged.

    votes: the label that the proxy predicts which left the member out; None without folds.
    """

    scores: Scores
    flags: Bool[np.ndarray, "members"]
    votes: Labels | None


def identified(
    recipe: Recipe, material: Material, job: Job, engine: str, progress: Progress = lambda _: None
) -> Identified:
    """The members of the job's only model, scored by the treatment of the recipe.

    engine: the name of the model's, which trains the proxies too where it can. progress: takes their epochs.

    Raises InputError where a score is not a number, as of proxies that diverged.
    """
    treatment, (members,) = recipe.treatment, job.members
    assert treatment is not None
    labels, votes = torch.from_numpy(material.labels[members]), None
    if treatment.is_folded:
        said = proxies.folded(recipe, material, job, engine, progress)
        scores, votes = BY_ANSWERS[treatment.flag](said, labels), _left_out(said).argmax(-1)
    else:
        scores = BY_FEATURES[treatment.flag](
            proxies.features(recipe, material, job, engine, progress), labels
        )
    if np.isnan(scores).any():
        raise InputError(
            f"pre_identification: the proxies of model {job.models[0]} diverged, so that nobody can be "
            "flagged; lower the learning rate"
        )
    return Identified(scores, highest(scores, treatment.count(len(members))), votes)


def highest(scores: Scores, count: int) -> Bool[np.ndarray, "members"]:
    """Whether a member is among so many with the highest scores; of equal ones the first are."""
    flags = np.zeros(len(scores), bool)
    flags[np.argsort(-scores, kind="stable")[:count]] = True
    return flags


def out_of_fold_loss(said: Said, labels: Labels) -> Scores:
    """Cross-entropy, in nats, under the proxy that left the member out."""
    return functional.cross_entropy(_left_out(said), labels, reduction="none").numpy()


def memorization(said: Said, labels: Labels) -> Scores:
    """The mean scaled logit under proxies that trained on the member, less that under the one that did not.

    This is what a reference attack with the proxies for its references would see of the member.
    """
    seen = scaled_logit(Prediction(said.logits, labels))
    inside = torch.where(said.absent, 0.0, seen).sum(0) / (~said.absent).sum(0)
    return (inside - torch.where(said.absent, seen, 0.0).sum(0)).numpy()


def centroid_distance(features: Float[Tensor, "members features"], labels: Labels) -> Scores:
    """The distance to the mean of the other members of the class; infinite for a member without any."""
    found = torch.full((len(labels),), torch.inf, dtype=features.dtype)
    for label in labels.unique():
        own = labels == label
        size = int(own.sum())
        if size > 1:  # x - mean of the others = (x - mean) n / (n - 1)
            points = features[own]
            found[own] = (points - points.mean(0)).norm(dim=1) * size / (size - 1)
    return found.numpy()


def neighbor_distance(features: Float[Tensor, "members features"], labels: Labels) -> Scores:
    """The mean distance to the nearest other members, whatever their labels."""
    centered = features - features.mean(0)
    means: list[Tensor] = []
    for start in range(0, len(centered), AT_ONCE):
        # from products: what that rounds off is small beside the distances of outliers
        rows = torch.cdist(centered[start : start + AT_ONCE], centered)
        own = torch.arange(len(rows))
        rows[own, start + own] = torch.inf
        means.append(rows.topk(NEIGHBORS, largest=False).values.mean(1))
    return torch.cat(means).numpy()


BY_ANSWERS = {"out_of_fold_loss": out_of_fold_loss, "memorization": memorization}
BY_FEATURES = {"centroid": centroid_distance, "neighbors": neighbor_distance}


def _left_out(said: Said) -> Float[Tensor, "members classes"]:
    """The logits of the proxy that left each member out."""
    return said.logits[said.absent.int().argmax(0), torch.arange(said.logits.shape[1])]
