"""How members and non-members part over training, and the members on a plane."""

import numpy as np
from jaxtyping import Bool

from vestige.explanations.opened_run import OpenedRun
from vestige.explanations.options import ExplainOptions
from vestige.explanations.why import Members
from vestige.report.explanation_page import Logits, Plot2D
from vestige.vulnerability.embedding import PERPLEXITY, embedded
from vestige.vulnerability.histogram import scaled_logit_histograms


def logits_over_time(run: OpenedRun, target: int) -> Logits:
    """The scaled logits of a target's members and non-members at every checkpoint."""
    member = run.plan.membership.mask[target]
    values = run.trace("scaled_logit", target)
    found = scaled_logit_histograms(values[:, member], values[:, ~member])
    return Logits(
        epochs=run.past.epochs,
        edges=found.edges,
        members=found.members,
        nonmembers=found.nonmembers,
        auc=found.auc,
        advantage=found.advantage,
    )


def embedding(
    run: OpenedRun, seen: Members, vulnerable: Bool[np.ndarray, "members"], options: ExplainOptions
) -> Plot2D:
    """The members in two dimensions, by t-SNE of their penultimate features."""
    fits = min(PERPLEXITY, (min(len(seen.samples), options.points) - 1) // 3)
    perplexity = options.perplexity or fits
    found = embedded(seen.features, perplexity=perplexity, most=options.points, seed=run.plan.seed)
    samples = seen.samples[found.indices]
    return Plot2D(
        points=found.points,
        labels=run.labels[samples],
        vulnerable=vulnerable[found.indices],
        ids=run.plan.dataset.ids[samples],
        perplexity=found.perplexity,
        neighbors_kept=found.neighbors_kept,
        notes=found.notes,
    )
