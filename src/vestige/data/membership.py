"""Who trained on what: the coins of every model, and the references each target may use."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from vestige.core import check, seeds
from vestige.core.errors import InputError

DESIGNS = ("paired", "independent", "balanced")
RAREST = 1e-6  # the chance below which a mask is not taken for one of independent coins
BOTH = ("balanced", "paired")  # pairs are balanced too: each sample is in half of the models


@dataclass(frozen=True, eq=False)
class Membership:
    """The membership mask, recorded before training, and the design that it was drawn from.

    mask: [models samples], true where the model trained on the sample.
    design: "paired" (models 2k and 2k+1 hold complementary halves), "independent" (a coin of its own
      for each model and sample) or "balanced" (each sample in a fixed number of models, no pairs).
    seed: root of the random choices that the split makes for "balanced".

    A target's references are all other models but those that would give the target's coin away: in
    a design where each sample is in a fixed number of models, the number of remaining IN models tells
    whether the target holds the sample. So one further model, on the other side of the coin, is left
    out for each sample: the target's complement when paired, a random one when balanced.

    Raises InputError for fewer than two models or a sample that is always or never a member.
    """

    mask: Bool[np.ndarray, "models samples"]
    design: str
    seed: int = 0

    def __post_init__(self) -> None:
        check.one_of("design", self.design, DESIGNS)
        if self.mask.shape[0] < 2:
            raise InputError(f"models={self.mask.shape[0]} must be at least 2: a target and a reference")
        counts = self.mask.sum(0)
        stuck = (counts == 0) | (counts == self.mask.shape[0])
        if stuck.any():
            sample = int(np.flatnonzero(stuck)[0])
            where = "in no model" if counts[sample] == 0 else "in every model"
            raise InputError(
                f"sample {sample} is {where} ({int(stuck.sum())} such samples), so nothing can be said "
                "about it; use more models or the paired design"
            )

    @property
    def num_models(self) -> int:
        """How many models there are."""
        return self.mask.shape[0]

    @property
    def num_samples(self) -> int:
        """How many samples there are."""
        return self.mask.shape[1]

    def left_out(self, target: int) -> Int[np.ndarray, "samples"]:
        """For each sample the model that the references of this target leave out; -1 for none.

        A model that is left out always has the other coin than the target for that sample.
        """
        if self.design == "paired":
            complement = target ^ 1
            return np.full(self.num_samples, complement if complement < self.num_models else -1)
        if self.design == "balanced":
            return self._random_opposite(target)
        return np.full(self.num_samples, -1)

    def reference_mask(self, target: int) -> Bool[np.ndarray, "models samples"]:
        """True where a model may serve as a reference of this target for the sample."""
        usable = np.ones(self.mask.shape, bool)
        usable[target] = False
        left_out = self.left_out(target)
        samples = np.flatnonzero(left_out >= 0)
        usable[left_out[samples], samples] = False
        return usable

    def only(
        self, models: Sequence[int], samples: Int[np.ndarray, "_"] | slice = slice(None)
    ) -> "Membership":
        """The membership of some of the models and samples, in that order, as a population of its own.

        Whole pairs stay paired; else the design is that of independent coins, since the models left out
        no longer tell anything. Raises InputError as a Membership of these models would.
        """
        chosen = list(models)
        whole = chosen == [m for pair in chosen[::2] for m in (pair & ~1, pair | 1)][: len(chosen)]
        design = self.design if self.design == "paired" and whole and len(chosen) % 2 == 0 else "independent"
        return Membership(self.mask[chosen][:, samples], design, self.seed)

    def clusters(self) -> Int[np.ndarray, "models"]:
        """A number per model; models with the same number are dependent by design (pairs)."""
        models = np.arange(self.num_models)
        return models // 2 if self.design == "paired" else models

    def _random_opposite(self, target: int) -> Int[np.ndarray, "samples"]:
        """For each sample one of the models with the other coin than the target, each equally likely."""
        own = self.mask[target]
        opposites = np.where(own, self.num_models - self.mask.sum(0), self.mask.sum(0))
        draws = seeds.generator(self.seed, "left out", target).random(self.num_samples)
        place = (draws * opposites).astype(np.int32)
        seen, found = np.zeros(self.num_samples, np.int32), np.zeros(self.num_samples, np.int64)
        for row in self.mask:  # the model at that place in the list of opposite models
            seen += row != own
            found += seen <= place
        return np.where(found < self.num_models, found, -1)


def paired(num_models: int, num_samples: int, seed: int) -> Membership:
    """Models in complementary pairs: of each pair one holds a random half, the other the rest.

    With an even number of models every sample is in exactly half of them. The halves differ in size by
    at most one. A last model without a partner, when the number is odd, holds a random half of its own.
    """
    check.at_least("models", num_models, 2)
    mask = np.zeros((num_models, num_samples), bool)
    for pair in range((num_models + 1) // 2):
        order = seeds.generator(seed, "membership", pair).permutation(num_samples)
        mask[2 * pair, order[: num_samples // 2]] = True
        if 2 * pair + 1 < num_models:
            mask[2 * pair + 1] = ~mask[2 * pair]
    return Membership(mask, "paired", seed)


def independent(num_models: int, num_samples: int, seed: int, rate: float = 0.5) -> Membership:
    """An independent coin for each model and sample, true with probability `rate`."""
    check.at_least("models", num_models, 2)
    if not 0 < rate < 1:
        raise InputError(f"rate={rate} must lie strictly between 0 and 1")
    rows = [
        seeds.generator(seed, "membership", model).random(num_samples) < rate for model in range(num_models)
    ]
    return Membership(np.stack(rows), "independent", seed)


def from_mask(
    mask: Bool[np.ndarray, "models samples"], design: str | None = None, seed: int = 0
) -> Membership:
    """The membership of somebody else's run; without a design it is recognized from the mask.

    Complementary neighbors (0 with 1, 2 with 3, ...) are "paired"; each sample in the same number of
    models is "balanced"; anything else counts as "independent".

    Raises InputError for a design that the mask contradicts.
    """
    recognized = _recognize(mask)
    if design in ("paired", "balanced") and recognized != design and (design, recognized) != BOTH:
        raise InputError(
            f"design={design!r} does not fit the mask, which looks {recognized}; leave the design out to "
            "have it recognized"
        )
    membership = Membership(mask, design or recognized, seed)
    if design == "independent" and recognized != design:
        _refuse_tied(mask, recognized)
    return membership


def _recognize(mask: Bool[np.ndarray, "models samples"]) -> str:
    whole_pairs = mask.shape[0] // 2 * 2
    if whole_pairs and (mask[0:whole_pairs:2] ^ mask[1:whole_pairs:2]).all():
        return "paired"
    counts = mask.sum(0)
    return "balanced" if counts.min() == counts.max() else "independent"


def _refuse_tied(mask: Bool[np.ndarray, "models samples"], recognized: str) -> None:
    """Raise InputError unless independent coins could have made a mask that looks as recognized.

    Taken for independent, coins that tie each other let the number of references with a sample tell the
    target's own coin.
    """
    chance = mask.shape[1] * np.log10(_chance_of_one(mask, recognized))
    if chance < np.log10(RAREST):
        tied = "neighboring models hold complementary samples"
        if recognized == "balanced":
            tied = f"each sample is in {int(mask[:, 0].sum())} of the {len(mask)} models"
        raise InputError(
            f"design='independent' does not fit the mask: {tied}, which independent coins do with a chance "
            f"of 1e{chance:.0f}; pass design={recognized!r}, or leave the design out to have it recognized"
        )


def _chance_of_one(mask: Bool[np.ndarray, "models samples"], recognized: str) -> float:
    """The chance that independent coins with these models' shares tie those of one sample as recognized.

    Given that it is not in every model or in none, for such samples are not in a mask.
    """
    shares = mask.mean(1)
    whole = len(shares) // 2 * 2
    one, other = shares[0:whole:2], shares[1:whole:2]
    tied = float((one * (1 - other) + (1 - one) * other).prod())
    if recognized == "balanced":
        counts = np.ones(1)
        for share in shares:
            counts = np.convolve(counts, [1 - share, share])
        tied = float(counts[mask[:, 0].sum()])
    return min(tied / float(1 - shares.prod() - (1 - shares).prod()), 1.0)
