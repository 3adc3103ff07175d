"""A training task whose models know which of their own members are treated apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from vestige.data.transforms import GaussianNoise
from vestige.training.engine import Job
from vestige.training.recipe import Recipe

TREATED = "vestige.treated"  # the name of a model's flags beside its weights


@dataclass(frozen=True, eq=False)
class FlaggedJob(Job):
    """The models of one training task, after their own members were identified.

    flags: [models samples], on the material's device; false for what is no member of a model.
    """

    flags: Bool[Tensor, "models samples"] = field(kw_only=True)

    def at(self, places: Sequence[int]) -> "FlaggedJob":
        """The same task with the models at these places, in that order."""
        flags = self.flags
        chosen = super().at(places)
        assert isinstance(chosen, FlaggedJob)
        return replace(chosen, flags=flags[list(places)])


def flags_of(job: Job, place: int, order: Int64[Tensor, "batch"]) -> Bool[Tensor, "batch"] | None:
    """Which samples of a batch are flagged, of the model at that place; None where nobody is treated."""
    return job.flags[place][order] if isinstance(job, FlaggedJob) else None


def kept_beside(job: Job, model: int) -> dict[str, Tensor]:
    """What is stored with a model's weights: which samples it treated apart; empty where it did not."""
    if not isinstance(job, FlaggedJob):
        return {}
    return {TREATED: job.flags[job.models.index(model)].cpu().clone()}


def augmented(
    recipe: Recipe,
    inputs: Float[Tensor, "batch ..."],
    flags: Bool[Tensor, "batch"] | None,
    generator: torch.Generator,
) -> Float[Tensor, "batch ..."]:
    """The inputs after the recipe's augmentation, those of flagged members with the treatment's noise on top.

    Noise is drawn for all of them, so that the stream does not depend on who is flagged.
    """
    changed = recipe.augmentation(inputs, generator)
    treatment = recipe.treatment
    if flags is None or treatment is None or treatment.action != "augment":
        return changed
    noisy = GaussianNoise(float(treatment.strength))(changed, generator)
    return torch.where(flags.view(-1, *(1,) * (changed.dim() - 1)), noisy, changed)
