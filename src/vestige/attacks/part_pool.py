"""Some models and samples of a pool as a pool of their own."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from jaxtyping import Int

from vestige.attacks.pool import Embeddings, Pool
from vestige.signals.source import Part

OUTSIDE = -1  # the number that embeddings have of a model outside their pool


def part_of(pool: Pool, models: tuple[int, ...], samples: Int[np.ndarray, "samples"]) -> Pool:
    """The pool of these models alone, at these samples; publics stay behind."""
    return Pool(
        Part(pool.signals, models, samples),
        pool.membership.only(models, samples),
        labels=None if pool.labels is None else pool.labels[samples],
        features=None if pool.features is None else pool.features[samples],
        embeddings=None if pool.embeddings is None else _PartEmbeddings(pool.embeddings, models, samples),
    )


class _PartEmbeddings(Mapping[int, Any]):
    """By the place of a model among the chosen ones, what it makes of the chosen samples; read when asked."""

    def __init__(self, whole: Embeddings, models: tuple[int, ...], samples: np.ndarray) -> None:
        self._whole = whole
        self._samples = samples
        known = set(whole)  # asking `in` may make an embedding
        self._model_at = {place: model for place, model in enumerate(models) if model in known}
        if OUTSIDE in known:
            self._model_at[OUTSIDE] = OUTSIDE

    def __getitem__(self, place: int) -> Any:
        return self._whole[self._model_at[place]][self._samples]

    def __iter__(self) -> Iterator[int]:
        return iter(self._model_at)

    def __len__(self) -> int:
        return len(self._model_at)
