"""The batches of models that train side by side, [models batch ...]."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from vestige.core import seeds
from vestige.data.transforms import Identity
from vestige.training import batches
from vestige.training.engine import Job, Material
from vestige.training.flagged import augmented, flags_of
from vestige.training.lessons import Lesson, lesson, one_hot
from vestige.training.mixing import blend
from vestige.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Batch:
    """One step of the models that still have a batch in this epoch, padded to the widest.

    inputs: [models batch ...]. targets: labels [models batch], or rows [models batch classes].
    sizes: the true ones. shares: of each sample in its model's mean, [models batch], 0 for padding; None
      where every batch is full, so that all shares are equal.
    """

    inputs: Tensor
    targets: Tensor
    sizes: list[int]
    shares: Tensor | None


class Feed:
    """Draws the batches of a job's models; those with the most members stand first."""

    def __init__(
        self, recipe: Recipe, material: Material, job: Job, dtype: torch.dtype = torch.float32
    ) -> None:
        self.recipe, self.material, self.job, self.dtype = recipe, material, job, dtype
        noisy = recipe.treatment is not None and recipe.treatment.action == "augment"
        self.augments = noisy or not isinstance(recipe.augmentation, Identity)
        self.changes = self.augments or recipe.mixing is not None
        # samples are changed in float32, as in the sequential engine, and rounded afterwards
        self.inputs = material.inputs.to(torch.float32 if self.changes else dtype)
        self.gathered = [self.inputs.new_empty(0) for _ in range(2)]  # one buffer for each order's batches
        self.augment = [
            torch.Generator(material.device).manual_seed(seeds.derive(job.seed, "augmentation", model))
            for model in job.models
        ]

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of one pass of every model over its own members."""
        places = range(len(self.job.models))
        lessons = [lesson(self.recipe, self.material, self.job, place, epoch) for place in places]
        for step, (drawn, sizes) in enumerate(packed(lessons, self.recipe.batch_size)):
            orders, labels = torch.from_numpy(drawn).to(self.material.device).chunk(2)
            inputs = [self._inputs(turn, order, sizes) for turn, order in enumerate(orders)]
            targets = [self._targets(order, label) for order, label in zip(orders, labels, strict=True)]
            if self.recipe.mixing:
                share = self._mixed_shares(lessons, step, len(sizes))
                inputs = [blend(inputs[0], inputs[1], _beside(share, inputs[0]))]
                targets = [blend(targets[0], targets[1], _beside(share, targets[0]))]
            yield Batch(inputs[0].to(self.dtype), targets[0], sizes, self._shares(sizes, drawn.shape[-1]))

    def _inputs(self, turn: int, order: Tensor, sizes: list[int]) -> Tensor:
        buffer, shape = self.gathered[turn], self.inputs.shape[1:]
        buffer.resize_(order.numel(), *shape)
        torch.index_select(self.inputs, 0, order.reshape(-1), out=buffer)
        inputs = buffer.view(*order.shape, *shape)
        if self.augments:
            for place, (row, size) in enumerate(zip(inputs, sizes, strict=True)):
                flags = flags_of(self.job, place, order[place, :size])
                row[:size] = augmented(self.recipe, row[:size], flags, self.augment[place])
        return inputs

    def _targets(self, order: Tensor, labels: Tensor) -> Tensor:
        if self.job.soft is not None:
            models = torch.arange(len(order), device=order.device)
            return self.job.soft[models[:, None], order]
        return one_hot(labels, self.material.num_classes) if self.recipe.mixing else labels

    def _mixed_shares(self, lessons: list[Lesson], step: int, active: int) -> Tensor:
        found = [one.shares[step] for one in lessons[:active] if one.shares is not None]
        return torch.tensor(found, dtype=torch.float32, device=self.material.device)

    def _shares(self, sizes: list[int], width: int) -> Tensor | None:
        if min(sizes) == width:
            return None
        true = np.array(sizes)[:, None]
        shares = np.where(np.arange(width) < true, 1 / true, 0.0)
        return torch.from_numpy(shares).to(self.material.device, torch.float32)


def packed(
    lessons: list[Lesson], batch_size: int
) -> Iterator[tuple[Int[np.ndarray, "turns models batch"], list[int]]]:
    """The steps of an epoch: the samples of each order, then their labels, padded with 0; and true sizes.

    lessons: one per model, the longest first; models whose epoch is over drop out at the end.
    """
    turns = [np.stack([*one.orders, *one.labels]) for one in lessons]
    bounds = [batches.bounds(rows.shape[1], batch_size) for rows in turns]
    for step in range(len(bounds[0])):
        spans = [span[step] for span in bounds if step < len(span)]
        sizes = [stop - start for start, stop in spans]
        drawn = np.zeros((len(turns[0]), len(spans), max(sizes)), np.int64)
        for place, (start, stop) in enumerate(spans):
            drawn[:, place, : stop - start] = turns[place][:, start:stop]
        yield drawn, sizes


def _beside(share: Float[Tensor, "models"], values: Tensor) -> Tensor:
    return share.view(-1, *(1,) * (values.dim() - 1))
