"""A population of independent coins, as arrays that attacks score: trained once, read again."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int64, Shaped

from vestige.audits.embeddings import Embeddings
from vestige.audits.options import Options
from vestige.audits.preparation import prepare
from vestige.audits.step import Listener, Step
from vestige.core import seeds
from vestige.data.membership import Membership
from vestige.population.fit import Progress, fit_all
from vestige.population.plan import Plan
from vestige.population.store import Store, StoredSignals

TARGETS = 16


@dataclass(frozen=True, eq=False)
class Trained:
    """Scaled logits of finished models at all candidates, and what is known of these.

    values: [models samples]; member: who trained on what. features: the samples themselves. folder: of the
    population.
    """

    plan: Plan
    folder: Path
    values: Float32[np.ndarray, "models samples"]
    member: Bool[np.ndarray, "models samples"]
    labels: Int64[np.ndarray, "samples"]
    features: Shaped[np.ndarray, "samples ..."]

    @property
    def seconds(self) -> float:
        """Of a processor that a model took to train and to measure, the median."""
        store = Store(self.folder)
        return float(np.median([store.seconds(model) for model in range(len(self.values))]))

    @property
    def embeddings(self) -> Embeddings:
        """What each model makes of the samples in its last layer but one."""
        return Embeddings(self.plan, Store(self.folder))


def trained(
    options: dict[str, Any], folder: Path, jobs: int | None, listener: Listener, share: float = 0.5
) -> Trained:
    """The population of these options in its folder, trained where it is missing.

    share: of the candidates that the first TARGETS models train on; the others train on half of them.
    """
    plan = prepare(Options().merged({**options, "design": "independent", "checkpoints": 2})).plan
    if share != 0.5:
        plan = replace(plan, membership=_with_share(plan.membership, share))

    def report(progress: Progress) -> None:
        listener(Step("train", progress.models_done, progress.models_total, "models", progress.seconds))

    fit_all([plan], [folder], jobs, report)
    store = Store.of(plan, folder)
    signals = StoredSignals(store, tuple(plan.observation.signals), plan.membership.num_models)
    last = signals.shape[1] - 1
    rows = [signals.row("scaled_logit", model, last)[:, 0] for model in range(signals.shape[0])]
    data = plan.dataset
    return Trained(
        plan,
        store.folder,
        np.stack(rows),
        plan.membership.mask,
        np.asarray(data.targets, np.int64),
        np.asarray(data.inputs),
    )


def _with_share(coins: Membership, share: float) -> Membership:
    """The coins with others for the first models, which hold this share of the samples."""
    mask = coins.mask.copy()
    mask[:TARGETS] = seeds.generator(coins.seed, "share of members").random(mask[:TARGETS].shape) < share
    return Membership(mask, "independent", coins.seed)
