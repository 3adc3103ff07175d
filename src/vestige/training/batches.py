"""Which samples a model sees at each step: a stream named by (seed, model), the same in every engine."""

import numpy as np
from jaxtyping import Int

from vestige.core import seeds

Order = Int[np.ndarray, "members"]


def order(seed: int, model: int, epoch: int, members: Order) -> Order:
    """The model's members in the order of that epoch."""
    return members[seeds.generator(seed, "batches", model, epoch).permutation(len(members))]


def bounds(num_members: int, batch_size: int) -> list[tuple[int, int]]:
    """Where each batch of an epoch begins and ends; no batch but an only one holds a single sample.

    A single last sample joins the batch before it, because batch normalization cannot train on one.
    """
    starts = list(range(0, num_members, batch_size))
    if len(starts) > 1 and num_members - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_members], strict=True))
