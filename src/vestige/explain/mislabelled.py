"""Records whose label looks wrong, from their own data and from models that did not train on them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from vestige.core.errors import InputError
from vestige.explain.given import truth, vector
from vestige.explain.outlierness import percentile
from vestige.explain.precision import SHARES, TopPrecision, precision_at_top
from vestige.leakage.numbers import Numbers
from vestige.stats.roc import roc


@dataclass(frozen=True, kw_only=True)
class LabelCheck:
    """How well a score finds labels known to be wrong.

    auc: the chance that a wrong label scores above a right one, ties counted half.
    at_count: the precision of as many records as there are wrong labels. top: that of fixed shares.
    """

    auc: float
    at_count: TopPrecision
    top: tuple[TopPrecision, ...]


def suspicion(out_of_fold_loss: Numbers, disagreement: Numbers) -> Float64[np.ndarray, "samples"]:
    """How much each label looks wrong, 0 to 1; higher = more suspect.

    The mean of two places among all samples: that of the loss under models trained without the sample, and
    that of the share of nearest neighbors with another label. A hard record has a high loss, a record on a
    border has foreign neighbors; a wrong label mostly has both. Where one is NaN the other stands alone.

    out_of_fold_loss: [samples], nats. disagreement: [samples], 0 to 1.

    Raises InputError for different lengths.
    """
    loss = vector("out_of_fold_loss", out_of_fold_loss)
    foreign = vector("disagreement", disagreement, len(loss))
    places = np.stack([percentile(loss), percentile(foreign)])
    known = ~np.isnan(places)
    count = known.sum(0)
    return np.where(known, places, 0.0).sum(0) / np.where(count > 0, count, np.nan)


def label_check(suspected: Numbers, flipped: Numbers) -> LabelCheck:
    """How well the suspicion finds the labels that are known to be wrong.

    suspected: [samples], higher = more suspect; NaN is left out. flipped: [samples], true for a wrong label.

    Raises InputError for different lengths, or unless some labels are wrong and some right.
    """
    score = vector("suspected", suspected)
    wrong = truth("flipped", flipped, len(score))
    count = int((wrong & ~np.isnan(score)).sum())
    if not 0 < count < int((~np.isnan(score)).sum()):
        raise InputError(f"flipped: {count} scored records have a wrong label; some must have, and some not")
    share = count / int((~np.isnan(score)).sum())
    at_count, *top = precision_at_top(score, wrong, (share, *SHARES))
    return LabelCheck(auc=roc(score, wrong).auc, at_count=at_count, top=tuple(top))
